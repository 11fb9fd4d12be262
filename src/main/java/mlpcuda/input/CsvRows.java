package mlpcuda.input;

import de.siegmar.fastcsv.reader.CloseableIterator;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.CsvRecordHandler;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import mlpcuda.data.Layout;

/**
 * Splits a chunk of a table into cells. Blank lines are left out, and spaces around a cell are cut
 * off. Text with quotes is split by FastCSV; text without them needs no more than a search for
 * separators and line breaks.
 *
 * <p>Source: RFC 4180, "Common Format and MIME Type for CSV Files"; lines may also end with LF or
 * CR alone.
 */
final class CsvRows {
  private CsvRows() {}

  /**
   * Gives the cells of a chunk to {@code cells} until that wants no more.
   *
   * @throws CsvRowException if a quoted cell is not closed or goes on after its closing quote, or
   *     if a row has more than {@link Layout.Columns#MOST} columns
   */
  static void read(CsvChunk chunk, char separator, CsvCells cells) {
    if (chunk.isQuoted()) {
      readQuoted(chunk, separator, cells);
    } else {
      readPlain(chunk, (byte) separator, cells);
    }
  }

  private static void readPlain(CsvChunk chunk, byte separator, CsvCells cells) {
    byte[] text = chunk.text();
    int end = chunk.end();
    int line = 1;
    int at = chunk.start();
    while (at < end) {
      if (!CsvChunk.isBreak(text[at])) {
        cells.startOfRow(line);
        int column = 0;
        int start = at;
        while (at < end && !CsvChunk.isBreak(text[at])) {
          if (text[at] == separator) {
            cell(cells, column++, text, start, at);
            start = at + 1;
          }
          at++;
        }
        cell(cells, column++, text, start, at);
        if (!cells.endOfRow(column)) {
          return;
        }
      }
      at = CsvChunk.afterBreak(text, at, end);
      line++;
    }
  }

  private static void readQuoted(CsvChunk chunk, char separator, CsvCells cells) {
    // Each byte becomes a character and a byte again, so that FastCSV does not change it.
    int length = chunk.end() - chunk.start();
    String text = new String(chunk.text(), chunk.start(), length, StandardCharsets.ISO_8859_1);
    int most = Math.max(length, 1);
    var handler =
        CsvRecordHandler.builder()
            .maxFields(Layout.Columns.MOST)
            .maxFieldSize(most)
            .maxRecordSize(most)
            .build();
    var reader =
        CsvReader.builder()
            .fieldSeparator(separator)
            .maxBufferSize(most + 1)
            .allowUnclosedQuote(false)
            .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
            .missingFieldStrategy(FieldMismatchStrategy.IGNORE);
    long next = 1; // the line where the row after the last one begins, if no blank line precedes it
    try (CloseableIterator<CsvRecord> records = reader.build(handler, text).iterator()) {
      while (records.hasNext()) {
        CsvRecord row = records.next();
        next = row.getStartingLineNumber();
        cells.startOfRow((int) next);
        for (int column = 0; column < row.getFieldCount(); column++) {
          byte[] cell = row.getField(column).getBytes(StandardCharsets.ISO_8859_1);
          cell(cells, column, cell, 0, cell.length);
          next += CsvChunk.lines(cell, 0, cell.length);
        }
        if (!cells.endOfRow(row.getFieldCount())) {
          return;
        }
        next++;
      }
    } catch (CsvParseException e) {
      throw new CsvRowException(
          next,
          "a quote in this row is not closed, or text stands between a closing quote and the next"
              + " separator, or the row has more than %,d columns".formatted(Layout.Columns.MOST));
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a reader of text in memory does not fail
    }
  }

  private static void cell(CsvCells cells, int column, byte[] text, int from, int to) {
    int start = from;
    int end = to;
    while (start < end && text[start] == ' ') {
      start++;
    }
    while (start < end && text[end - 1] == ' ') {
      end--;
    }
    cells.cell(column, text, start, end);
  }
}
