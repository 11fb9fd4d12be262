package mlpcuda.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import mlpcuda.data.Grey.Box;

/**
 * The ink of one character in a picture.
 *
 * <p>Whether a photograph's ink is darker or lighter than its paper, and whether the paper is even,
 * is not known beforehand: the desk around a sheet, or a shadow, is darker than the sheet, too. The
 * character is therefore looked for under each assumption, and the one in which something looks
 * most like a character is taken for true: much ink in strokes, and clear of the border.
 *
 * @param light the ink of each pixel, 0 where there is none
 * @param warning if it is probably not one character: a sentence that says so, and why
 */
record Ink(Grey light, Optional<String> warning) {
  /** Ink must differ from the paper by so many levels, or it is the paper's own unevenness. */
  private static final int LEAST_CONTRAST = 16;

  /**
   * Paper's deviations that are taken for paper: normal noise exceeds 4 standard deviations once in
   * 30,000, which is 6 of the median deviations measured here.
   */
  private static final int DEVIATIONS = 6;

  /** The share of the contrast that is taken for what JPEG leaves around ink. */
  private static final double RINGING = 1.0 / 8;

  /** The share of the contrast from which on a pixel surely is ink. */
  private static final double SURE = 0.4;

  /** How far the soft edge of ink goes beyond what surely is ink, as a share of the picture. */
  private static final double RIM = 0.008;

  /** A picture whose pixels differ from the next by more than this, on the median, is noisy. */
  private static final double NOISY = 5;

  /** The share of an even paper's border that is paper: the rest may be ink, cut off. */
  private static final double EVEN = 0.6;

  /**
   * Windows for the paper's light, as shares of the picture's longer side: one that is wider than a
   * marker's stroke, and one that follows a shadow into its corners, for a pen's.
   */
  private static final double[] WINDOWS = {0.3, 0.12};

  /** The least thickness of strokes, as a share of the character's longer side: 2 of 20 pixels. */
  private static final double THINNEST = 0.13;

  /** From such odds on whether ink is darker or lighter is settled. */
  private static final double SURELY = 3;

  /** How much more is thought of ink on an even paper: a character may touch the border there. */
  private static final double CUT_OUT = 6;

  /**
   * The largest share of a picture that can be ink: what covers more inside an even border is a
   * sheet of paper on a desk.
   */
  private static final double MOST_INK = 0.6;

  /** Exactly the pixels that differ from the paper. */
  static Ink plain(String name, Grey grey) {
    Grey ink = Paper.even(grey, Paper.isDarker(grey));
    double contrast = max(ink);
    if (contrast < LEAST_CONTRAST) {
      throw blank(name, contrast);
    }
    double[] border = grey.border();
    double unevenness = Grey.deviation(border, Grey.median(border));
    Grey light = above(ink, Math.min(DEVIATIONS * unevenness, contrast / 2));
    List<Piece> pieces = Piece.of(light, SURE * contrast);
    return new Ink(light, Doubts.about(pieces, pieces, light));
  }

  /** The character, without what else is in a photograph. */
  static Ink photographed(String name, Grey picture) {
    Grey grey = picture.roughness() > NOISY ? picture.smoothed() : picture;
    var guesses = new ArrayList<Guess>();
    boolean even = isEven(grey);
    double darkness = Paper.darkness(grey);
    for (boolean darker : new boolean[] {true, false}) {
      double odds = Math.sqrt(darker ? darkness : 1 / darkness);
      if (odds * SURELY > 1) {
        for (double window : WINDOWS) {
          guess(Paper.uneven(grey, darker, window), true, odds).ifPresent(guesses::add);
        }
        if (even) {
          guess(Paper.even(grey, darker), false, CUT_OUT * odds).ifPresent(guesses::add);
        }
      }
    }
    return guesses.stream()
        .max(Comparator.comparingDouble(Guess::worth))
        .map(Guess::ink)
        .orElseThrow(() -> blank(name, contrast(grey)));
  }

  private static BadFileException blank(String name, double contrast) {
    return new BadFileException(
        "%s: blank: ink must differ from the paper by at least %d of 255 levels, found %.0f"
            .formatted(name, LEAST_CONTRAST, contrast));
  }

  private static double contrast(Grey grey) {
    return Math.max(
        max(Paper.uneven(grey, true, WINDOWS[0])), max(Paper.uneven(grey, false, WINDOWS[0])));
  }

  private static boolean isEven(Grey grey) {
    double[] border = grey.border();
    double paper = Grey.median(border);
    long same = Arrays.stream(border).filter(v -> Math.abs(v - paper) < LEAST_CONTRAST / 2).count();
    return same >= EVEN * border.length;
  }

  /**
   * A character, as found under one assumption.
   *
   * @param all the difference from the paper, lines removed
   * @param floor what is not more is no ink
   * @param found all pieces
   * @param pieces the character's, the main one first
   * @param lines whether there is nothing but lines
   * @param odds that the assumption is true, from the picture as a whole
   */
  private record Guess(
      Grey all, double floor, List<Piece> found, List<Piece> pieces, boolean lines, double odds) {
    double worth() {
      return odds * pieces.get(0).worth();
    }

    Ink ink() {
      return new Ink(
          thickened(cut(above(all, floor), pieces), pieces),
          lines
              ? Optional.of("The picture shows lines, but probably no character.")
              : Doubts.about(pieces, found, all));
    }
  }

  /**
   * The character if this is the ink; none if there is none.
   *
   * @param uneven whether the paper is: what is left of its shading is no ink
   * @param odds that this is the ink
   */
  private static Optional<Guess> guess(Grey all, boolean uneven, double odds) {
    if (max(all) < LEAST_CONTRAST) {
      return Optional.empty();
    }
    double floor = Math.max(LEAST_CONTRAST / 2, DEVIATIONS * Grey.deviation(all.light(), 0));
    floor = Math.min(floor, max(all) / 2);
    if (!uneven && share(all, floor) > MOST_INK) {
      return Optional.empty();
    }
    Grey ink = Lines.removed(uneven ? Desk.removed(all, floor) : all, floor);
    List<Piece> pieces = character(pieces(ink, floor, uneven));
    boolean lines = pieces.isEmpty();
    if (lines) { // a picture of a line, then
      ink = all;
      pieces = character(pieces(ink, floor, uneven));
    }
    if (pieces.isEmpty()) {
      return Optional.empty();
    }
    double contrast = contrast(ink, pieces);
    floor = Math.min(Math.max(floor, RINGING * contrast), contrast / 2);
    List<Piece> found = pieces(ink, Math.max(floor, SURE * contrast), uneven);
    pieces = character(found);
    return pieces.isEmpty()
        ? Optional.empty()
        : Optional.of(new Guess(ink, floor, found, pieces, lines, odds));
  }

  /** The share of the pixels whose ink is more than {@code floor}. */
  private static double share(Grey ink, double floor) {
    return Arrays.stream(ink.light()).filter(v -> v > floor).count() / (double) ink.light().length;
  }

  private static List<Piece> pieces(Grey ink, double floor, boolean uneven) {
    return Piece.of(ink, floor).stream().filter(p -> !uneven || !p.isShading()).toList();
  }

  private static double max(Grey grey) {
    return Arrays.stream(grey.light()).max().getAsDouble();
  }

  private static Grey above(Grey ink, double floor) {
    double[] light = Arrays.stream(ink.light()).map(v -> Math.max(0, v - floor)).toArray();
    return new Grey(ink.rows(), ink.cols(), light);
  }

  /** What the ink of pieces mostly is. */
  private static double contrast(Grey ink, List<Piece> pieces) {
    double[] light =
        pieces.stream()
            .flatMapToInt(p -> Arrays.stream(p.pixels()))
            .mapToDouble(i -> ink.light()[i])
            .sorted()
            .toArray();
    return light[light.length * 9 / 10];
  }

  /** The pieces of the character: first the main one, then those that belong to it. */
  private static List<Piece> character(List<Piece> pieces) {
    var rest = new ArrayList<>(pieces);
    var chosen = new ArrayList<Piece>();
    Optional<Piece> main = rest.stream().max(Comparator.comparingDouble(Piece::worth));
    if (main.isEmpty()) {
      return chosen;
    }
    chosen.add(main.get());
    rest.remove(main.get());
    for (int i = 0; i < chosen.size(); i++) {
      Piece from = chosen.get(i);
      for (int j = rest.size() - 1; j >= 0; j--) {
        if (belongs(rest.get(j), from, main.get())) {
          chosen.add(rest.remove(j));
        }
      }
    }
    return chosen;
  }

  private static boolean belongs(Piece piece, Piece chosen, Piece main) {
    double gap = piece.gap(chosen) / main.size();
    double size = (double) piece.size() / main.size();
    double mass = piece.mass() / main.mass();
    if (piece.contact() > 0 && (main.contact() == 0 || gap > 0.1)) {
      return false;
    }
    return gap < 0.1 && mass > 0.015 || gap < 0.4 && size > 0.25 && mass > 0.05;
  }

  /** The light of pieces and of their rims. */
  private static Grey cut(Grey ink, List<Piece> pieces) {
    double[] near = new double[ink.light().length];
    for (Piece piece : pieces) {
      for (int i : piece.pixels()) {
        near[i] = 1;
      }
    }
    int rim = (int) Math.max(1, Math.round(RIM * ink.box().longer()));
    Morphology.dilate(near, ink.rows(), ink.cols(), rim);
    double[] light = new double[near.length];
    for (int i = 0; i < light.length; i++) {
      light[i] = near[i] * ink.light()[i];
    }
    return new Grey(ink.rows(), ink.cols(), light);
  }

  /** With strokes as thick as MNIST's at least: a fine pen's would be fainter than a pixel. */
  private static Grey thickened(Grey light, List<Piece> pieces) {
    boolean[] inside = new boolean[light.light().length];
    int area = 0;
    int longest = 0;
    for (Piece piece : pieces) {
      for (int i : piece.pixels()) {
        inside[i] = true;
      }
      area += piece.pixels().length;
      longest = Math.max(longest, piece.size());
    }
    int outline = 0;
    for (int y = 0; y < light.rows(); y++) {
      for (int x = 0; x < light.cols(); x++) {
        int i = y * light.cols() + x;
        outline += x > 0 && inside[i] != inside[i - 1] ? 1 : 0;
        outline += y > 0 && inside[i] != inside[i - light.cols()] ? 1 : 0;
      }
    }
    double thickness = 2.0 * area / Math.max(1, outline);
    int more = (int) Math.round((THINNEST * longest - thickness) / 2);
    if (more < 1) {
      return light;
    }
    double[] thick = light.light().clone();
    Morphology.dilate(thick, light.rows(), light.cols(), more);
    return new Grey(light.rows(), light.cols(), thick);
  }

  /** Around all of it. */
  Box box() {
    int top = light.rows();
    int left = light.cols();
    int bottom = 0;
    int right = 0;
    for (int y = 0; y < light.rows(); y++) {
      for (int x = 0; x < light.cols(); x++) {
        if (light.at(y, x) > 0) {
          top = Math.min(top, y);
          bottom = y + 1;
          left = Math.min(left, x);
          right = Math.max(right, x + 1);
        }
      }
    }
    return new Box(top, left, bottom, right);
  }
}
