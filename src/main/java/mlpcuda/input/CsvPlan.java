package mlpcuda.input;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.stream.IntStream;
import mlpcuda.data.Column;
import mlpcuda.data.Layout;
import mlpcuda.error.BadFileException;
import mlpcuda.input.ReadOptions.TableOptions;

/**
 * What each column of a table is for.
 *
 * @param label the index of the column of labels; -1: there is none
 * @param weight the index of the column of weights; -1: there is none
 * @param features the indices of the columns of features, in the order of the inputs
 * @param layout what the features are; empty: columns of numbers and words, which only the cells
 *     tell
 */
record CsvPlan(int label, int weight, List<Integer> features, Optional<Layout> layout) {
  private static final int NONE = -1;

  /**
   * Decides what each column is for.
   *
   * @param known the layout of a training set or a model, which the table must have
   * @param labelled whether the table must have a column of labels
   * @throws BadFileException if a column is not found, or a layout does not fit
   */
  static CsvPlan of(
      CsvText text, CsvHead head, ReadOptions options, Optional<Layout> known, boolean labelled) {
    return new Maker(text, head, options, known, labelled).make();
  }

  /** The names by which a header is known. */
  static Set<String> names(TableOptions options, Optional<Layout> known) {
    Set<String> names = new HashSet<>(options.ignored());
    options.label().ifPresent(names::add);
    options.weight().ifPresent(names::add);
    if (known.isPresent() && known.get() instanceof Layout.Columns columns) {
      columns.columns().forEach(column -> names.add(column.name()));
    }
    names.removeIf(name -> !Float.isNaN(CsvCell.number(name, options.decimal())));
    return names;
  }

  /** Decides step by step. */
  private static final class Maker {
    private final CsvText text;
    private final CsvHead head;
    private final ReadOptions options;
    private final Optional<Layout> known;
    private final boolean labelled;
    private final int columns;
    private final Set<Integer> ignored = new HashSet<>();

    Maker(
        CsvText text, CsvHead head, ReadOptions options, Optional<Layout> known, boolean labelled) {
      this.text = text;
      this.head = head;
      this.options = options;
      this.known = known;
      this.labelled = labelled;
      this.columns = head.names().size();
    }

    CsvPlan make() {
      TableOptions table = options.table();
      for (String name : table.ignored()) {
        int column = find(name);
        if (column != NONE) {
          ignored.add(column);
        } else if (known.isEmpty()) {
          throw missing("the column to leave out, \"%s\",".formatted(name));
        }
      }
      int weight = NONE;
      if (table.weight().isPresent()) {
        weight = find(table.weight().get());
        if (weight == NONE && known.isEmpty()) {
          throw missing("the column of weights, \"%s\",".formatted(table.weight().get()));
        }
      }
      int label = label(weight);
      if (label == NONE && labelled) {
        throw text.bad(
            "the table has no column label, class, target, species or y; name the column of labels,"
                + " or give its number from 1 on; the columns are "
                + CsvHead.list(head.names()));
      }
      if (label != NONE && label == weight) {
        throw text.bad("%s cannot hold both labels and weights".formatted(head.column(label)));
      }
      return plan(label, weight);
    }

    private int find(String nameOrNumber) {
      int byName = head.hasHeader() ? head.names().indexOf(nameOrNumber) : NONE;
      if (byName != NONE) {
        return byName;
      }
      try {
        int number = Integer.parseInt(nameOrNumber);
        return number >= 1 && number <= columns ? number - 1 : NONE;
      } catch (NumberFormatException e) {
        return NONE;
      }
    }

    private BadFileException missing(String what) {
      return text.bad(
          "%s is not in the table, whose columns are %s"
              .formatted(what, CsvHead.list(head.names())));
    }

    private int label(int weight) {
      Optional<String> named = options.table().label();
      if (named.isPresent()) {
        int column = find(named.get());
        if (column == NONE && labelled) {
          throw missing("the column of labels, \"%s\",".formatted(named.get()));
        }
        return column;
      }
      if (!head.hasHeader()) {
        Optional<Integer> pixels = images().map(Layout.Images::inputs);
        int others = ignored.size() + (weight == NONE || ignored.contains(weight) ? 0 : 1);
        boolean first = pixels.isPresent() && columns - others == 1 + pixels.get();
        return first && !ignored.contains(0) && weight != 0 ? 0 : NONE;
      }
      for (String name : CsvHead.LABELS) {
        for (int i = 0; i < columns; i++) {
          String found = head.names().get(i);
          if (found.equalsIgnoreCase(name) && !ignored.contains(i) && !isKnown(found)) {
            return i;
          }
        }
      }
      return NONE;
    }

    private boolean isKnown(String name) {
      return known.isPresent()
          && known.get() instanceof Layout.Columns columns
          && columns.columns().stream().anyMatch(column -> column.name().equals(name));
    }

    /** The pictures that the rows must be, if they must be pictures. */
    private Optional<Layout.Images> images() {
      if (known.isEmpty()) {
        return options.images().size();
      }
      return known.get() instanceof Layout.Images images ? Optional.of(images) : Optional.empty();
    }

    private CsvPlan plan(int label, int weight) {
      List<Integer> features = new ArrayList<>();
      for (int i = 0; i < columns; i++) {
        if (i != label && i != weight && !ignored.contains(i)) {
          features.add(i);
        }
      }
      if (features.isEmpty()) {
        throw text.bad("the table has no columns of features, only " + CsvHead.list(head.names()));
      }
      Optional<Layout.Images> images = images();
      if (images.isPresent()) {
        return pictures(label, weight, features, images.get());
      }
      if (known.isPresent() && known.get() instanceof Layout.Columns wanted) {
        return new CsvPlan(label, weight, match(features, wanted), known);
      }
      boolean pixels = arePixels(features);
      if (pixels && holdPixels(features)) {
        return pictures(label, weight, features, suggested(features));
      }
      for (int column : features) {
        if (head.names().get(column).isEmpty()) {
          throw text.bad(
              ("column %d has no name in the header, as row numbers have: leave column %1$d out, or"
                      + " name it")
                  .formatted(column + 1));
        }
      }
      return new CsvPlan(label, weight, List.copyOf(features), Optional.empty());
    }

    private CsvPlan pictures(int label, int weight, List<Integer> features, Layout.Images images) {
      if (features.size() != images.inputs()) {
        throw text.bad(
            "pictures of %s need %,d columns of pixels, found %,d"
                .formatted(images, images.inputs(), features.size()));
      }
      List<Integer> ordered = new ArrayList<>(features);
      if (arePixels(features)) {
        ordered.sort(Comparator.comparingLong(this::place));
      }
      return new CsvPlan(label, weight, List.copyOf(ordered), Optional.of(images));
    }

    private boolean arePixels(List<Integer> features) {
      return head.hasHeader()
          && features.stream()
              .allMatch(column -> CsvHead.PIXEL.matcher(head.names().get(column)).matches());
    }

    private boolean holdPixels(List<Integer> features) {
      for (String[] row : head.rows()) {
        for (int column : features) {
          float value =
              column < row.length
                  ? CsvCell.number(row[column], options.table().decimal())
                  : 0; // the row is refused when the rows are read
          if (!CsvValues.isPixel(value)) {
            return false;
          }
        }
      }
      return true;
    }

    /** The place of a pixel by its name, in the order of pixels. */
    private long place(int column) {
      Matcher name = CsvHead.PIXEL.matcher(head.names().get(column));
      if (!name.matches()) {
        throw new IllegalStateException(head.names().get(column));
      }
      return name.group(1) != null
          ? Long.parseLong(name.group(1))
          : Long.parseLong(name.group(2)) << 32 | Long.parseLong(name.group(3));
    }

    /** The size that the names of pixels tell, or else that of a square. */
    private Layout.Images suggested(List<Integer> features) {
      long last = features.stream().mapToLong(this::place).max().getAsLong();
      int rows = (int) (last >> 32);
      int cols = (int) last;
      int pixels = features.size();
      if ((long) rows * cols == pixels) {
        return Layout.Images.grey(rows, cols);
      }
      int side = (int) Math.round(Math.sqrt(pixels));
      if (side * side != pixels) {
        throw text.bad(
            "%,d columns of pixels are no square: say the size of the pictures".formatted(pixels));
      }
      return Layout.Images.grey(side, side);
    }

    /** The indices of the columns that a layout has. */
    private List<Integer> match(List<Integer> features, Layout.Columns wanted) {
      List<String> names = wanted.columns().stream().map(Column::name).toList();
      List<String> found = features.stream().map(head.names()::get).toList();
      boolean same = new HashSet<>(found).equals(new HashSet<>(names));
      if (!head.hasHeader() || !same && wanted.areNumbered()) { // names do not tell the order
        if (features.size() != names.size()) {
          throw text.bad(
              "the table must have %,d columns of features, %s, found %,d"
                  .formatted(names.size(), CsvHead.list(names), features.size()));
        }
        return List.copyOf(features);
      }
      if (!same) {
        List<String> absent = names.stream().filter(name -> !found.contains(name)).toList();
        List<String> others = found.stream().filter(name -> !names.contains(name)).toList();
        throw text.bad(
            "the table must have the columns that the network was trained with, no others:"
                + " missing are %s; to be left out are %s"
                    .formatted(CsvHead.list(absent), CsvHead.list(others)));
      }
      return IntStream.range(0, names.size())
          .mapToObj(i -> features.get(found.indexOf(names.get(i))))
          .toList();
    }
  }
}
