package mlpcuda.cli;

import mlpcuda.report.Build;
import picocli.CommandLine.IVersionProvider;

/** The text of {@code --version}. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {Build.describe()};
  }
}
