package mlpcuda.preparation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import mlpcuda.error.BadFileException;
import mlpcuda.preparation.GreyImage.Box;

/**
 * The ink of one character in a picture.
 *
 * <p>Nothing says beforehand whether a photograph's ink is darker or lighter than its paper, or
 * whether the paper is evenly lit: a shadow and the desk around a sheet are darker than the sheet,
 * as ink is. The character is therefore searched under each of these assumptions, and the
 * assumption under which a piece looks most like a character wins. A character has much ink, in
 * strokes, clear of the picture's border.
 *
 * @param light the ink of each pixel, 0 where there is none
 * @param warning a sentence that says why the ink is probably not one character; empty if nothing
 *     speaks against it
 */
record Ink(GreyImage light, Optional<String> warning) {
  /** Ink differs from the paper by at least this many levels; less is unevenness of the paper. */
  private static final int LEAST_CONTRAST = 16;

  /**
   * A pixel that differs from the paper by at most this many median deviations is paper. Normally
   * distributed noise exceeds 4 standard deviations, which are 6 median deviations, once in 16,000.
   */
  private static final int DEVIATIONS = 6;

  /** JPEG's artefacts around strokes reach about this share of the contrast; they are no ink. */
  private static final double RINGING = 1.0 / 8;

  /** A pixel with at least this share of the contrast is surely ink. */
  private static final double SURE = 0.4;

  /**
   * How far the soft edge of a stroke reaches beyond the pixels that are surely ink, as a share of
   * the picture's side.
   */
  private static final double RIM = 0.008;

  /** A picture is noisy if the median difference between neighbouring pixels exceeds this level. */
  private static final double NOISY = 5;

  /** The paper is even if at least this share of the picture's border has one level. */
  private static final double EVEN = 0.6;

  /**
   * If this share of the border has one level, as in a drawing, and ink is found, the paper is not
   * searched for shading as well, which takes most of the time.
   */
  private static final double SURELY_EVEN = 0.999;

  /**
   * The windows with which the paper's light is estimated, as shares of the picture's longer side.
   * The first is wider than a marker's stroke. The second follows a shadow into its corners, and is
   * wider than a pen's stroke.
   */
  private static final double[] WINDOWS = {0.3, 0.12};

  /**
   * Strokes are made at least this thick, as a share of the character's longer side: 2.6 of the 20
   * pixels of MNIST's form.
   */
  private static final double THINNEST = 0.13;

  /** On a paper of this level dark and light ink are equally likely. */
  private static final double MIDDLE = 100;

  /** The most that the paper's level alone says about whether the ink is darker. */
  private static final double MOST_PRIOR = 16;

  /** Stands for a window where the paper is assumed to have one level. */
  private static final double EVEN_PAPER = 0;

  /** Odds of this or more settle whether the ink is darker or lighter than the paper. */
  private static final double SURELY = 3;

  /**
   * The factor in favour of the assumption that the paper is even, where its border looks so: a
   * character may touch the border of a picture that was cut out tightly.
   */
  private static final double CUT_OUT = 6;

  /** The smaller pieces beyond this number are left out, which bounds the time of the search. */
  private static final int MOST_PIECES = 300;

  /** The factor against ink that consists of lines alone, or covers more than {@link #MOST_INK}. */
  private static final double UNLIKELY = 0.01;

  /**
   * Ink covers at most this share of a picture: what covers more inside an even border is a sheet
   * of paper on a desk.
   */
  private static final double MOST_INK = 0.6;

  /**
   * Takes every pixel that differs from the paper at the border for ink, and so leaves an image
   * that already has MNIST's form unchanged.
   *
   * @param name what messages call the picture
   * @throws BadFileException if there is no ink
   */
  static Ink plain(String name, GreyImage grey) {
    GreyImage ink = Paper.even(grey, Paper.isDarker(grey));
    double contrast = max(ink);
    if (contrast < LEAST_CONTRAST) {
      throw blank(name, contrast);
    }
    double[] border = grey.border();
    double unevenness = GreyImage.deviation(border, GreyImage.median(border));
    GreyImage light = above(ink, Math.min(DEVIATIONS * unevenness, contrast / 2));
    List<InkPiece> pieces = InkPiece.of(light, SURE * contrast);
    return new Ink(light, CharacterDoubts.about(pieces, pieces, light));
  }

  /**
   * Searches a photograph for a character, and leaves out lines, shadows, specks and what lies
   * beside the paper.
   *
   * @param name what messages call the picture
   * @throws BadFileException if there is no ink
   */
  static Ink photographed(String name, GreyImage picture) {
    GreyImage grey = picture.roughness() > NOISY ? picture.smoothed() : picture;
    var guesses = new ArrayList<Guess>();
    double evenness = evenness(grey);
    double darkness = Paper.darkness(grey) * prior(GreyImage.median(grey.light()));
    double darker = Math.sqrt(darkness);
    double lighter = 1 / darker;
    if (evenness >= EVEN) {
      guesses.addAll(guesses(grey, darker, lighter, EVEN_PAPER));
    }
    if (evenness < SURELY_EVEN || guesses.stream().noneMatch(Guess::isLikely)) {
      for (double window : WINDOWS) {
        guesses.addAll(guesses(grey, darker, lighter, window));
      }
    }
    return guesses.stream()
        .max(Comparator.comparingDouble(Guess::worth))
        .map(Guess::ink)
        .orElseThrow(() -> blank(name, contrast(grey)));
  }

  /**
   * Searches for darker and for lighter ink, unless the odds settle which it is.
   *
   * @param darker the odds that the ink is darker than the paper
   * @param lighter the odds that it is lighter
   * @param window the window with which the paper's light is estimated; {@link #EVEN_PAPER} for a
   *     paper of one level
   */
  private static List<Guess> guesses(GreyImage grey, double darker, double lighter, double window) {
    var guesses = new ArrayList<Guess>();
    for (boolean dark : new boolean[] {true, false}) {
      double odds = dark ? darker : lighter;
      if (odds * SURELY > 1) {
        if (window == EVEN_PAPER) {
          guess(Paper.even(grey, dark), false, CUT_OUT * odds).ifPresent(guesses::add);
        } else {
          guess(Paper.uneven(grey, dark, window), true, odds).ifPresent(guesses::add);
        }
      }
    }
    return guesses;
  }

  /** The odds that ink on a paper of that level is darker than the paper. */
  private static double prior(double paper) {
    double ratio = paper / MIDDLE;
    return Math.max(1 / MOST_PRIOR, Math.min(MOST_PRIOR, ratio * ratio * ratio * ratio));
  }

  private static BadFileException blank(String name, double contrast) {
    return new BadFileException(
        "%s: blank: ink must differ from the paper by at least %d of 255 levels, found %.0f"
            .formatted(name, LEAST_CONTRAST, contrast));
  }

  private static double contrast(GreyImage grey) {
    return Math.max(
        max(Paper.uneven(grey, true, WINDOWS[0])), max(Paper.uneven(grey, false, WINDOWS[0])));
  }

  /** The share of the picture's border that has about one level. */
  private static double evenness(GreyImage grey) {
    double[] border = grey.border();
    double paper = GreyImage.median(border);
    long same = Arrays.stream(border).filter(v -> Math.abs(v - paper) < LEAST_CONTRAST / 2).count();
    return (double) same / border.length;
  }

  /**
   * A character as it was found under one assumption about paper and ink.
   *
   * @param all each pixel's difference from the paper, lines removed
   * @param floor the difference up to which a pixel is paper
   * @param found all pieces of ink
   * @param pieces the pieces of the character, the main one first
   * @param lines whether the picture has nothing but lines
   * @param sparse whether the ink covers no more than {@link #MOST_INK}
   * @param odds how well the assumption fits the picture as a whole
   */
  private record Guess(
      GreyImage all,
      double floor,
      List<InkPiece> found,
      List<InkPiece> pieces,
      boolean lines,
      boolean sparse,
      double odds) {
    boolean isLikely() {
      return sparse && !lines;
    }

    double worth() {
      return (isLikely() ? odds : UNLIKELY * odds) * pieces.get(0).worth();
    }

    Ink ink() {
      return new Ink(
          thickened(cut(above(all, floor), pieces), pieces),
          lines && found.size() > 1 // a single line may be the digit 1
              ? Optional.of("The picture shows lines, but probably no character.")
              : CharacterDoubts.about(pieces, found, all));
    }
  }

  /**
   * Searches the character under one assumption.
   *
   * @param all each pixel's difference from the paper, in the ink's direction
   * @param uneven whether the paper is taken for unevenly lit; soft patches at the border are then
   *     left over from its shading and are no ink
   * @param odds how well the assumption fits the picture as a whole
   * @return empty if there is no ink
   */
  private static Optional<Guess> guess(GreyImage all, boolean uneven, double odds) {
    if (max(all) < LEAST_CONTRAST) {
      return Optional.empty();
    }
    double floor = Math.max(LEAST_CONTRAST / 2, DEVIATIONS * GreyImage.deviation(all.light(), 0));
    floor = Math.min(floor, max(all) / 2);
    GreyImage ink = RuledLines.removed(uneven ? DeskRemoval.removed(all, floor) : all, floor);
    List<InkPiece> pieces = character(pieces(ink, floor, uneven));
    boolean lines = pieces.isEmpty();
    if (lines) { // the lines themselves are the answer, with a warning
      ink = all;
      pieces = character(pieces(ink, floor, uneven));
    }
    if (pieces.isEmpty()) {
      return Optional.empty();
    }
    double contrast = contrast(ink, pieces);
    floor = Math.min(Math.max(floor, RINGING * contrast), contrast / 2);
    List<InkPiece> found = pieces(ink, Math.max(floor, SURE * contrast), uneven);
    pieces = character(found);
    return pieces.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Guess(ink, floor, found, pieces, lines, share(all, floor) <= MOST_INK, odds));
  }

  /** The share of the pixels whose ink is more than {@code floor}. */
  private static double share(GreyImage ink, double floor) {
    return Arrays.stream(ink.light()).filter(v -> v > floor).count() / (double) ink.light().length;
  }

  private static List<InkPiece> pieces(GreyImage ink, double floor, boolean uneven) {
    return InkPiece.of(ink, floor).stream()
        .filter(p -> !uneven || !p.isShading())
        .sorted(Comparator.comparingDouble(InkPiece::mass).reversed())
        .limit(MOST_PIECES)
        .toList();
  }

  private static double max(GreyImage grey) {
    return Arrays.stream(grey.light()).max().getAsDouble();
  }

  private static GreyImage above(GreyImage ink, double floor) {
    double[] light = Arrays.stream(ink.light()).map(v -> Math.max(0, v - floor)).toArray();
    return new GreyImage(ink.rows(), ink.cols(), light);
  }

  /** The level of well inked pixels: the last decile of the pieces' ink. */
  private static double contrast(GreyImage ink, List<InkPiece> pieces) {
    double[] light =
        pieces.stream()
            .flatMapToInt(p -> Arrays.stream(p.pixels()))
            .mapToDouble(i -> ink.light()[i])
            .sorted()
            .toArray();
    return light[light.length * 9 / 10];
  }

  /** Chooses the pieces of the character: first the main one, then those that belong to it. */
  private static List<InkPiece> character(List<InkPiece> pieces) {
    var rest = new ArrayList<>(pieces);
    var chosen = new ArrayList<InkPiece>();
    Optional<InkPiece> main = rest.stream().max(Comparator.comparingDouble(InkPiece::worth));
    if (main.isEmpty()) {
      return chosen;
    }
    chosen.add(main.get());
    rest.remove(main.get());
    for (int i = 0; i < chosen.size(); i++) {
      InkPiece from = chosen.get(i);
      for (int j = rest.size() - 1; j >= 0; j--) {
        if (belongs(rest.get(j), from, main.get())) {
          chosen.add(rest.remove(j));
        }
      }
    }
    return chosen;
  }

  private static boolean belongs(InkPiece piece, InkPiece chosen, InkPiece main) {
    double gap = piece.gap(chosen) / main.size();
    double size = (double) piece.size() / main.size();
    double mass = piece.mass() / main.mass();
    if (piece.contact() > 0 && (main.contact() == 0 || gap > 0.1)) {
      return false;
    }
    return gap < 0.1 && mass > 0.015 || gap < 0.4 && size > 0.25 && mass > 0.05;
  }

  /** The ink of the given pieces and of their soft edges. */
  private static GreyImage cut(GreyImage ink, List<InkPiece> pieces) {
    double[] near = new double[ink.light().length];
    for (InkPiece piece : pieces) {
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
    return new GreyImage(ink.rows(), ink.cols(), light);
  }

  /** Thickens strokes that are finer than MNIST's: reduced to 20 pixels they would fade away. */
  private static GreyImage thickened(GreyImage light, List<InkPiece> pieces) {
    boolean[] inside = new boolean[light.light().length];
    int area = 0;
    int longest = 0;
    for (InkPiece piece : pieces) {
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
    return new GreyImage(light.rows(), light.cols(), thick);
  }

  /** The smallest box around all ink. */
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
