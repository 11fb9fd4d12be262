package mlpcuda.data;

import java.util.List;
import java.util.Optional;

/** Tells pictures that are probably not of one character. */
final class Doubts {
  /** Neighbours of at least this share of the taller one's height stand beside it as equals. */
  private static final double EQUALS = 0.6;

  /** And with this share of its ink. */
  private static final double EQUAL_INK = 0.2;

  /** A character is at most so many times as wide as tall. */
  private static final double WIDEST = 1.8;

  /** A stroke's greatest thickness, as a share of the character's longer side. */
  private static final double THICKEST = 0.6;

  /** Of ink that goes over all of the picture at least this share of the border is ink. */
  private static final double BORDER = 0.35;

  private Doubts() {}

  /**
   * What speaks against one character.
   *
   * @param pieces the character's, the main one first
   * @param found all pieces of the picture
   * @return a sentence; none if nothing does
   */
  static Optional<String> about(List<Piece> pieces, List<Piece> found, Grey ink) {
    if (pieces.isEmpty()) {
      return Optional.empty();
    }
    Piece main = pieces.get(0);
    if (main.thickness() > THICKEST * main.size()) {
      return Optional.of("The picture is probably not one character: most of it is ink.");
    }
    if (main.contact() > BORDER * 2 * (ink.rows() + ink.cols())) {
      return Optional.of(
          "The picture is probably not one character: its ink goes to the edges of the picture.");
    }
    for (Piece other : found) {
      if (other != main && areEquals(main, other)) {
        return Optional.of(
            "The picture is probably not one character: it shows several side by side.");
      }
    }
    int top = pieces.stream().mapToInt(p -> p.box().top()).min().getAsInt();
    int left = pieces.stream().mapToInt(p -> p.box().left()).min().getAsInt();
    int bottom = pieces.stream().mapToInt(p -> p.box().bottom()).max().getAsInt();
    int right = pieces.stream().mapToInt(p -> p.box().right()).max().getAsInt();
    if (right - left > WIDEST * (bottom - top)) {
      return Optional.of(
          "The picture is probably not one character: its ink is much wider than tall.");
    }
    return Optional.empty();
  }

  private static boolean areEquals(Piece main, Piece other) {
    int left = Math.max(main.box().left(), other.box().left());
    int right = Math.min(main.box().right(), other.box().right());
    int top = Math.max(main.box().top(), other.box().top());
    int bottom = Math.min(main.box().bottom(), other.box().bottom());
    int taller = Math.max(main.box().rows(), other.box().rows());
    return right - left <= 0.15 * Math.min(main.box().cols(), other.box().cols())
        && bottom - top >= EQUALS * taller
        && other.worth() > EQUAL_INK * main.worth();
  }
}
