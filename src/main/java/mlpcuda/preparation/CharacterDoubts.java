package mlpcuda.preparation;

import java.util.List;
import java.util.Optional;

/** Finds reasons why a picture probably does not show exactly one character. */
final class CharacterDoubts {
  /** Two characters side by side share at least this part of the taller one's height. */
  private static final double EQUALS = 0.6;

  /** The second of two characters has at least this share of the first one's ink. */
  private static final double EQUAL_INK = 0.08;

  /**
   * The second of two characters has, for a unit of ink, at least this share of the first one's
   * rating.
   */
  private static final double EQUAL_QUALITY = 0.3;

  /** A character, and what may stand beside it, has at most this number of pieces of like size. */
  private static final int MOST_PIECES = 8;

  /** The greatest ratio of a character's width to its height. */
  private static final double WIDEST = 1.8;

  /** The greatest thickness of a stroke, as a share of the character's longer side. */
  private static final double THICKEST = 0.6;

  /** Ink on at least this share of the picture's border goes beyond the picture. */
  private static final double BORDER = 0.35;

  private CharacterDoubts() {}

  /**
   * Says what speaks against a single character.
   *
   * @param pieces the pieces of the character, the main one first
   * @param found all pieces of the picture
   * @param ink the picture's ink
   * @return a sentence; empty if nothing speaks against it
   */
  static Optional<String> about(List<InkPiece> pieces, List<InkPiece> found, GreyImage ink) {
    if (pieces.isEmpty()) {
      return Optional.empty();
    }
    InkPiece main = pieces.get(0);
    if (main.thickness() > THICKEST * main.size()) {
      return Optional.of("The picture is probably not one character: most of it is ink.");
    }
    if (main.contact() > BORDER * 2 * (ink.rows() + ink.cols())) {
      return Optional.of(
          "The picture is probably not one character: its ink goes to the edges of the picture.");
    }
    for (InkPiece other : found) {
      if (other != main && areEquals(main, other)) {
        return Optional.of(
            "The picture is probably not one character: it shows several side by side.");
      }
    }
    if (found.stream().filter(p -> p.mass() > EQUAL_INK * main.mass()).count() > MOST_PIECES) {
      return Optional.of(
          "The picture is probably not one character: its ink is in many pieces of like size.");
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

  private static boolean areEquals(InkPiece main, InkPiece other) {
    int left = Math.max(main.box().left(), other.box().left());
    int right = Math.min(main.box().right(), other.box().right());
    int top = Math.max(main.box().top(), other.box().top());
    int bottom = Math.min(main.box().bottom(), other.box().bottom());
    int taller = Math.max(main.box().rows(), other.box().rows());
    return right - left <= 0.15 * Math.min(main.box().cols(), other.box().cols())
        && bottom - top >= EQUALS * taller
        && other.mass() > EQUAL_INK * main.mass()
        && other.worth() / other.mass() > EQUAL_QUALITY * main.worth() / main.mass();
  }
}
