package mlpcuda.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class SettingsJsonTest {
  private static final RunSettings SETTINGS =
      Presets.DEFAULT
          .with(Presets.DEFAULT.recording().withImportance())
          .with(Presets.DEFAULT.learning().withEma(0.99));

  private static Map<String, Object> json() throws IOException {
    return JSON.std.mapFrom(JSON.std.asString(SettingsJson.write(SETTINGS)));
  }

  @Test
  void settingsAreReadAsTheyWereWritten() throws IOException {
    assertEquals(SETTINGS, SettingsJson.read(new Fields(json())));
  }

  /** Checkpoints of runs that could not measure the importance of columns lack the setting. */
  @Test
  void theImportanceMayBeMissing() throws IOException {
    Map<String, Object> json = json();
    @SuppressWarnings("unchecked")
    var recording = (Map<String, Object>) json.get("recording");
    recording.put("importance", "yes");
    assertThrows(IllegalArgumentException.class, () -> SettingsJson.read(new Fields(json)));
    recording.remove("importance");
    assertFalse(SettingsJson.read(new Fields(json)).recording().importance());
  }

  /** Checkpoints of runs that could not average their weights lack the setting. */
  @Test
  void theAverageMayBeMissing() throws IOException {
    Map<String, Object> json = json();
    @SuppressWarnings("unchecked")
    var learning = (Map<String, Object>) json.get("learning");
    learning.put("ema", 1.0);
    assertThrows(IllegalArgumentException.class, () -> SettingsJson.read(new Fields(json)));
    learning.remove("ema");
    assertEquals(OptionalDouble.empty(), SettingsJson.read(new Fields(json)).learning().ema());
  }
}
