package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.error.DeviceException;

/** Calls every method of {@link Cudnn} on {@link FakeCuda}. */
final class CudnnCalls {
  private final FakeCuda fake;
  private final JCudaDriver driver;
  private final long stream;
  private final Path natives;

  CudnnCalls(OpenDriver open) {
    fake = open.fake();
    driver = open.driver();
    stream = open.stream();
    natives = open.natives();
  }

  private void expect(String... calls) {
    assertEquals(List.of(calls), fake.calls());
  }

  private void hide(String... names) throws IOException {
    for (String name : names) {
      Files.move(fake.folder().resolve(name), fake.folder().resolve("hidden-" + name));
    }
  }

  private void show(String... names) throws IOException {
    for (String name : names) {
      Files.move(fake.folder().resolve("hidden-" + name), fake.folder().resolve(name));
    }
  }

  private boolean unpacked(String library) throws IOException {
    try (Stream<Path> files = Files.walk(natives)) {
      return files.anyMatch(file -> file.endsWith(Natives.fileName(library)));
    }
  }

  private static DeviceMatrix matrix(long address, int rows, int columns) {
    return new DeviceMatrix(address, rows, columns);
  }

  void activates() throws IOException {
    assertFalse(unpacked("JCudnn"), "unpacked, though nobody asked for it");
    List<Path> system = CudaLibrary.folders(Map.of(), Path.of("/"));
    if (!CudaLibrary.cudnn(system).file().isPresent()) {
      hide("libcudnn.so.9");
      Path older = Files.createFile(fake.folder().resolve("libcudnn.so.8"));
      var e = assertThrows(DeviceException.class, () -> driver.openDnn(stream));
      assertTrue(
          e.why().startsWith("cuDNN 9 was not found: wanted libcudnn.so.9, found " + older + " ("),
          e.why());
      assertTrue(e.remedy().endsWith(", or use the program's own kernels."), e.remedy());
      assertTrue(unpacked("JCudnn"), "it is JCudnn's library that misses cuDNN's");
      show("libcudnn.so.9");
    }
    // Without this part cuDNN would end the process.
    hide("libcudnn_ops.so.9");
    var partless = assertThrows(DeviceException.class, () -> driver.openDnn(stream));
    assertTrue(partless.why().startsWith("cuDNN 9 cannot be loaded: "), partless.why());
    assertTrue(partless.why().contains("libcudnn_ops.so.9"), partless.why());
    show("libcudnn_ops.so.9");
    expect();

    fake.control("cudnnCreate 1001");
    var refused = assertThrows(DeviceException.class, () -> driver.openDnn(stream));
    assertEquals(
        "cuDNN does not start on GPU 1 (Fake 71), driver for CUDA 12.6: cudnnCreate failed:"
            + " FAKE_STATUS (1001): cuDNN 9.10.2",
        refused.why());
    expect("cudnnCreate");

    fake.control("cudnnSetActivationDescriptor 2000");
    var bad = assertThrows(CudaException.class, () -> driver.openDnn(stream));
    assertEquals(
        "cudnnSetActivationDescriptor failed: CUDNN_STATUS_BAD_PARAM (2000): cuDNN 9.10.2",
        bad.why());
    expect(
        "cudnnCreate",
        "cudnnSetStream 0xd22 0x%x".formatted(stream),
        "cudnnCreateActivationDescriptor",
        "cudnnSetActivationDescriptor 0xac0 1 1 0",
        "cudnnDestroyActivationDescriptor 0xac0",
        "cudnnDestroy 0xd22");

    fake.control("");
    Dnn dnn = driver.openDnn(stream);
    assertEquals("cuDNN 9.10.2", dnn.description());
    expect(
        "cudnnCreate",
        "cudnnSetStream 0xd22 0x%x".formatted(stream),
        "cudnnCreateActivationDescriptor",
        "cudnnSetActivationDescriptor 0xac1 1 1 0", // ReLU, NaN propagated
        "cudnnCreateActivationDescriptor",
        "cudnnSetActivationDescriptor 0xac2 0 1 0", // sigmoid
        "cudnnCreateActivationDescriptor",
        "cudnnSetActivationDescriptor 0xac3 2 1 0"); // tanh

    long memory = driver.allocate(128);
    long a = memory;
    long b = memory + 32;
    long c = memory + 64;
    long d = memory + 96;
    Pinned pinned = driver.allocatePinned(128);
    float[] values = {10, -30, 9, 9, 9, 9, 9, 9, /* b */ 1, 2, 3, 40, 5, 6};
    for (int i = 0; i < values.length; i++) {
      pinned.bytes().putFloat(4 * i, values[i]);
    }
    driver.copyToDevice(memory, pinned, 0, 128, stream);
    fake.calls();

    dnn.addTensor(matrix(b, 3, 2), a); // 11 -28 13 10 15 -24
    expect(
        "cudnnCreateTensorDescriptor",
        "cudnnSetTensor4dDescriptor 0x7e0 0 0 1 2 1 1",
        "cudnnCreateTensorDescriptor",
        "cudnnSetTensor4dDescriptor 0x7e1 0 0 3 2 1 1",
        "cudnnAddTensor 0xd22 1 0x7e0 0x%x 1 0x7e1 0x%x".formatted(a, b));
    dnn.activationForward(matrix(c, 3, 2), matrix(b, 3, 2), Activation.RELU); // 11 0 13 10 15 0
    expect("cudnnActivationForward 0xd22 0xac1 1 0x7e1 0x%x 0 0x7e1 0x%x".formatted(b, c));
    dnn.activationBackward(
        matrix(d, 3, 2),
        matrix(c, 3, 2),
        matrix(b, 3, 2),
        matrix(c, 3, 2),
        Activation.RELU); // 11 0 13 10 15 0
    expect(
        "cudnnActivationBackward 0xd22 0xac1 1 0x7e1 0x%x 0x7e1 0x%x 0x7e1 0x%x 0 0x7e1 0x%x"
            .formatted(c, b, c, d));
    expectFloats(pinned, d, 11, 0, 13, 10, 15, 0);
    dnn.activationBackward(
        matrix(d, 1, 2), matrix(a, 1, 2), matrix(b, 1, 2), matrix(c, 1, 2), Activation.TANH);
    expect( // the tensor of the row is known already
        "cudnnActivationBackward 0xd22 0xac3 1 0x7e0 0x%x 0x7e0 0x%x 0x7e0 0x%x 0 0x7e0 0x%x"
            .formatted(a, b, c, d));
    dnn.logSoftmaxForward(matrix(d, 3, 2), matrix(c, 3, 2));
    // 2, 0: CUDNN_SOFTMAX_LOG, CUDNN_SOFTMAX_MODE_INSTANCE
    expect("cudnnSoftmaxForward 0xd22 2 0 1 0x7e1 0x%x 0 0x7e1 0x%x".formatted(c, d));
    float small = (float) -Math.log1p(Math.exp(-3)); // a result for 13 and 10
    expectFloats(pinned, d + 8, small, small - 3);

    assertThrows(
        IllegalArgumentException.class,
        () -> dnn.activationForward(matrix(c, 3, 2), matrix(b, 3, 2), Activation.NONE));
    fake.control("cudnnSetTensor4dDescriptor 2000");
    assertThrows(CudaException.class, () -> dnn.addTensor(matrix(b, 4, 2), a));
    expect(
        "cudnnCreateTensorDescriptor",
        "cudnnSetTensor4dDescriptor 0x7e2 0 0 4 2 1 1",
        "cudnnDestroyTensorDescriptor 0x7e2");
    fake.control("");
    driver.free(memory);
    driver.freePinned(pinned);
    fake.calls();
    dnn.close();
    List<String> closing = fake.calls();
    assertEquals(
        Set.of(
            "cudnnDestroyTensorDescriptor 0x7e0",
            "cudnnDestroyTensorDescriptor 0x7e1",
            "cudnnDestroyActivationDescriptor 0xac1",
            "cudnnDestroyActivationDescriptor 0xac2",
            "cudnnDestroyActivationDescriptor 0xac3",
            "cudnnDestroy 0xd22"),
        Set.copyOf(closing));
    assertEquals(6, closing.size());
    assertEquals("cudnnDestroy 0xd22", closing.get(5));
    assertThrows(IllegalStateException.class, dnn::close);
    assertThrows(IllegalStateException.class, () -> dnn.addTensor(matrix(b, 3, 2), a));
    expect();
  }

  private void expectFloats(Pinned pinned, long from, float... values) {
    driver.copyToHost(pinned, from, 4 * values.length, stream);
    for (int i = 0; i < values.length; i++) {
      assertEquals(values[i], pinned.bytes().getFloat(4 * i), 1e-5f);
    }
    fake.calls();
  }
}
