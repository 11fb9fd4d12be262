package example;

import mlpcuda.data.EmbeddedMnist;

/** Reads the digits. */
public final class Digits {
  private Digits() {}

  /** Prints how many digits there are. */
  public static void main(String[] args) {
    System.out.println(EmbeddedMnist.load().train().size());
  }
}
