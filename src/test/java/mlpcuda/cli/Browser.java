package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.WebDriverWait;

/** A headless Chromium that shows pages as people see them. */
final class Browser implements AutoCloseable {
  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Path DRIVER = Path.of("/usr/bin/chromedriver");
  private static final Path SCREENSHOTS = Path.of("target/screenshots");

  // A logger that nobody references is garbage-collected, with its level.
  private static final Logger SELENIUM = Logger.getLogger("org.openqa.selenium");

  private final ChromeDriver driver;

  private Browser(ChromeDriver driver) {
    this.driver = driver;
  }

  /** Opens a new browser. Where there is no Chromium the test is skipped, except in CI. */
  static Browser open() {
    boolean found = Files.isExecutable(CHROMIUM) && Files.isExecutable(DRIVER);
    String missing = "%s and %s are not there".formatted(CHROMIUM, DRIVER);
    if (System.getenv("CHROMIUM_REQUIRED") != null) {
      assertTrue(found, missing);
    }
    assumeTrue(found, missing);
    SELENIUM.setLevel(Level.SEVERE); // Selenium warns of versions of Chromium that it does not know
    var logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    var options = new ChromeOptions();
    options.setBinary(CHROMIUM.toFile());
    options.addArguments(
        "--headless=new",
        "--no-sandbox", // root cannot have the sandbox, and the pages are ours
        "--disable-gpu",
        "--hide-scrollbars", // scrollbars would take 15 pixels of each width
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync");
    options.setCapability("goog:loggingPrefs", logs);
    Duration patience = Duration.ofMinutes(5); // a busy machine takes its time
    options.setScriptTimeout(patience);
    var service =
        new ChromeDriverService.Builder()
            .usingDriverExecutable(DRIVER.toFile())
            .withTimeout(patience)
            .build();
    return new Browser(new ChromeDriver(service, options));
  }

  /** The driver of the browser. */
  ChromeDriver driver() {
    return driver;
  }

  /** Opens a page in a window of that size, in CSS pixels. */
  void show(String url, int width, int height, boolean dark) {
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    prefer(dark);
    script("window.former = true");
    driver.get(url);
    // On a busy machine the driver has been seen to return before the page's scripts had run.
    waitFor("!window.former && document.readyState === 'complete'");
    // A chart takes the width of its box a frame after the page has been laid out.
    waitFor(
        "[...document.querySelectorAll('.chart canvas')].every("
            + "c => c.offsetWidth <= c.parentElement.clientWidth)");
  }

  /** Sets whether the reader's system prefers dark pages. */
  void prefer(boolean dark) {
    driver.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of(
            "features",
            List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
  }

  /** Clicks on the first element of that selector, as a person does who sees it. */
  void click(String selector) {
    WebElement element = driver.findElement(By.cssSelector(selector));
    script("arguments[0].scrollIntoView({block: 'center'})", element);
    element.click();
  }

  /** Runs a script, and returns its result. */
  Object script(String script, Object... arguments) {
    return driver.executeScript(script, arguments);
  }

  /** Waits until a script returns true. On a busy machine that takes its time. */
  void waitFor(String script) {
    new WebDriverWait(driver, Duration.ofMinutes(5))
        .until(d -> Boolean.TRUE.equals(script("return " + script)));
  }

  /** The browser's complaints on the page's console since the last call. */
  List<String> complaints() {
    return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
        .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
        .map(LogEntry::getMessage)
        .toList();
  }

  /** Asserts that there are no {@link #complaints}. */
  void assertNoComplaints() {
    assertEquals(List.of(), complaints());
  }

  /** Asserts that the page is no wider than its window. */
  void assertFitsInWidth() {
    long window = (Long) script("return window.innerWidth");
    long page = (Long) script("return document.documentElement.scrollWidth");
    assertTrue(page <= window, "the page is %d pixels wide in %d".formatted(page, window));
  }

  /** Saves the whole page as {@code target/screenshots/NAME.png}. */
  void screenshot(String name) {
    Map<?, ?> size =
        (Map<?, ?>)
            driver.executeCdpCommand("Page.getLayoutMetrics", Map.of()).get("cssContentSize");
    Map<String, Object> picture =
        driver.executeCdpCommand(
            "Page.captureScreenshot",
            Map.of(
                "captureBeyondViewport",
                true,
                "clip",
                Map.of(
                    "x",
                    0,
                    "y",
                    0,
                    "width",
                    size.get("width"),
                    "height",
                    size.get("height"),
                    "scale",
                    1)));
    try {
      Files.createDirectories(SCREENSHOTS);
      Files.write(
          SCREENSHOTS.resolve(name + ".png"),
          Base64.getDecoder().decode((String) picture.get("data")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    driver.quit();
  }
}
