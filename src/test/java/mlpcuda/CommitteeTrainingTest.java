package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.logging.Logger;
import mlpcuda.error.SettingException;
import mlpcuda.error.StoppedException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests committees as a program trains and asks them by the library. */
class CommitteeTrainingTest {
  private static final Logger LOG = Logger.getLogger("mlpcuda");

  @TempDir private Path tmp;

  @BeforeAll
  static void printNoLog() {
    LOG.setUseParentHandlers(false);
  }

  private static Examples examples(int count, int seed) {
    byte[] pixels = new byte[count * 35];
    byte[] labels = new byte[count];
    var random = new Random(seed);
    for (int i = 0; i < count; i++) {
      labels[i] = (byte) (i % 3);
      for (int p = 0; p < 35; p++) {
        pixels[i * 35 + p] = (byte) ((p % 3 == i % 3 ? 100 : 0) + random.nextInt(120));
      }
    }
    return Examples.images(5, 7, pixels, labels);
  }

  private static Dataset dataset() {
    return Dataset.of(examples(60, 1), examples(20, 2));
  }

  private static Training training() {
    return Training.of(Network.relu(35, 6, 3))
        .members(3)
        .memberWidths(4, 0)
        .epochs(2)
        .batchSize(8)
        .validation(0.2)
        .seed(3);
  }

  @Test
  void trainsSavesLoadsAndAsks() {
    Path file = tmp.resolve("committee.safetensors");
    List<EpochResult> heard = Collections.synchronizedList(new ArrayList<>());
    try (Device device = Device.cpu(2)) {
      TrainingResult result = training().onEpoch(heard::add).fit(dataset(), device);
      assertEquals(6, result.epochs().size());
      assertEquals(6, heard.size());
      Network committee = result.network();
      assertEquals(3, committee.members().size());
      assertEquals("3 networks 35-6-3, 237 parameters each", committee.toString());
      assertThrows(IllegalStateException.class, committee::weights);
      committee.save(file);
      assertTrue(result.validation().isPresent());
      try (Model model = Network.load(file).on(device)) {
        assertEquals(result.test().loss(), model.evaluate(dataset().test()).loss());
        double[] mean = new double[3];
        byte[] image = dataset().test().pixels(0);
        for (Network member : committee.members()) {
          assertEquals(4, member.weights().size());
          try (Model alone = member.on(device)) {
            double[] own = alone.predict(image).probabilities();
            for (int c = 0; c < 3; c++) {
              mean[c] += own[c] / 3;
            }
          }
        }
        assertArrayEquals(mean, model.predict(image).probabilities(), 1e-6);
      }
    }
  }

  /** A training that is interrupted in an epoch of a member goes on to the same bytes. */
  @Test
  void aStoppedCommitteeGoesOn() throws IOException {
    Path whole = tmp.resolve("whole");
    Path parts = tmp.resolve("parts");
    try (Device device = Device.cpu(1)) {
      training().folder(whole).fit(dataset(), device);
      Thread waiting = Thread.currentThread();
      Training stopped =
          training()
              .folder(parts)
              .onEpoch(
                  epoch -> {
                    waiting.interrupt();
                    awaitStop(waiting);
                  });
      assertThrows(StoppedException.class, () -> stopped.fit(dataset(), device));
      assertTrue(Thread.interrupted());
      TrainingResult result = Training.resume(parts).fit(dataset(), device);
      assertEquals(3, result.network().members().size());
      assertArrayEquals(
          Files.readAllBytes(whole.resolve("model.safetensors")),
          Files.readAllBytes(parts.resolve("model.safetensors")));
      assertThrows(
          IllegalStateException.class, () -> training().folder(parts).fit(dataset(), device));
      assertThrows(IllegalStateException.class, () -> Training.resume(parts).members(4));
    }
  }

  /** Waits until the thread has taken note of its interrupt, and waits for the device again. */
  private static void awaitStop(Thread thread) {
    while (thread.isInterrupted()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    try (Device device = Device.cpu(1)) {
      Network trained = Training.of(Network.relu(35, 3)).epochs(1).fit(dataset(), device).network();
      assertRefused("network", Training.of(trained).members(2), device);
      assertRefused("network", Training.of(Network.relu(34, 3)).members(2), device);
      Training small = Training.of(Network.relu(35, 3)).epochs(1);
      assertRefused("members", small.members(0), device);
      assertRefused("members", small.memberWidths(3), device);
      assertRefused("member-widths", small.members(2).memberWidths(1, 2, 3), device);
      assertRefused("member-widths", small.members(2).memberWidths(8), device);
    }
  }

  private static void assertRefused(String setting, Training training, Device device) {
    var e = assertThrows(SettingException.class, () -> training.fit(dataset(), device));
    assertEquals(setting, e.setting());
  }
}
