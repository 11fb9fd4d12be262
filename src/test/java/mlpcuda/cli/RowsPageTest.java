package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;

/** Tests the page of {@code serve} that asks a network of rows, filled in as by a hand. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@Tag("long")
class RowsPageTest {
  @TempDir Path tmp;
  private Browser browser;
  private Serving server;

  /** Serves a network that has learnt: left below 0, right above, whatever the colour is. */
  @BeforeEach
  void start() throws IOException, InterruptedException {
    browser = Browser.open();
    var text = new StringBuilder("where,<b>colour</b>,label\n");
    for (int i = 0; i < 200; i++) {
      text.append(i % 2 == 0 ? -1 - i % 7 : 1 + i % 5)
          .append(i % 3 == 0 ? ",red," : ",blue,")
          .append(i % 2 == 0 ? "left\n" : "right\n");
    }
    Path table = Files.writeString(tmp.resolve("sides.csv"), text);
    Path out = tmp.resolve("run");
    Program.succeed(Program.words("--cpu --epochs 20 --batch-size 8 --out", out, "--data", table));
    server = new Serving(Program.NO_GPUS, out.resolve("model.safetensors"), "--cpu --threads 1");
  }

  @AfterEach
  void stop() {
    browser.close();
    Program program = server.stop();
    assertEquals(0, program.code(), program.err());
    assertEquals("", program.err());
  }

  @ParameterizedTest
  @CsvSource({"1000, false", "400, true"})
  void whatIsFilledInIsAnswered(int width, boolean dark) throws IOException {
    browser.show(server.url(), width, 900, dark);
    browser.waitFor("document.querySelectorAll('#fields label').length === 2");
    assertEquals(
        "<b>colour</b>",
        browser.script("return document.querySelectorAll('#fields span')[1].textContent"),
        "a name from a file is text");
    answer("-3", "left");
    answer("4", "right");
    assertTrue(
        (boolean)
            browser.script(
                "return document.querySelector('.best .label').textContent === 'right'"));
    browser.waitFor("document.getAnimations().length === 0");
    assertTrue(
        ((Number) browser.script("return document.querySelector('.best .fill').offsetWidth"))
                .intValue()
            > 50,
        "the bar is seen");
    browser.assertFitsInWidth();
    browser.screenshot("serve-rows-" + width + (dark ? "-dark" : "-light"));
    browser.assertNoComplaints();
    // A page may send what its fields would not: the server's sentence is shown.
    browser.script(
        "const field = document.querySelector('#fields input');"
            + "field.required = false; field.value = '';");
    browser.click("#row button");
    browser.waitFor("!document.getElementById('error').hidden");
    assertEquals(
        "the column where must be a finite number, found null",
        browser.driver().findElement(By.id("error")).getText());
  }

  private void answer(String where, String label) {
    WebElement field = browser.driver().findElement(By.cssSelector("#fields input"));
    field.clear();
    field.sendKeys(where);
    browser.click("#row button");
    browser.waitFor("document.getElementById('class').textContent === '" + label + "'");
  }
}
