package mlpcuda.error;

/**
 * Thrown for a setting whose value does not fit the data or another setting. The message is one
 * line with the rule and what was found; the program prints it and ends with exit code 2.
 */
public final class SettingException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String setting;
  private final String rule;

  /**
   * {@code setting}: the name of the setting, as the command line's option without its dashes;
   * {@code rule}: what must be, and what was found.
   */
  public SettingException(String setting, String rule) {
    super(setting + ": " + rule);
    this.setting = setting;
    this.rule = rule;
  }

  /** The name of the setting, for example {@code subset}. */
  public String setting() {
    return setting;
  }

  /** The message without the name of the setting. */
  public String rule() {
    return rule;
  }
}
