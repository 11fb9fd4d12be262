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
   * Gives the rows of a chunk to {@code taker} until that wants no more.
   *
   * @return the number of lines of the chunk, unless {@code taker} did not want all of them
   * @throws CsvRowException if a quoted cell is not closed or goes on after its closing quote, or
   *     if a row has more than {@link Layout.Columns#MOST} columns
   */
  static long read(CsvChunk chunk, char separator, CsvRow.Taker taker) {
    if (chunk.isQuoted()) {
      readQuoted(chunk, separator, taker);
      return chunk.lines();
    }
    return readPlain(chunk, (byte) separator, taker);
  }

  private static int readPlain(CsvChunk chunk, byte separator, CsvRow.Taker taker) {
    var row = new CsvRow();
    byte[] text = chunk.text();
    int end = chunk.end();
    int lines = 0;
    int at = chunk.start();
    while (at < end) {
      if (!CsvChunk.isBreak(text[at])) {
        row.begin(text, lines + 1, at);
        at = row.split(separator, end);
        if (!taker.take(row)) {
          return lines;
        }
      }
      at = CsvChunk.afterBreak(text, at, end);
      lines++;
    }
    return lines;
  }

  private static void readQuoted(CsvChunk chunk, char separator, CsvRow.Taker taker) {
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
    var row = new CsvRow();
    long next = 1; // the line where the row after the last one begins, if no blank line precedes it
    try (CloseableIterator<CsvRecord> records = reader.build(handler, text).iterator()) {
      while (records.hasNext()) {
        CsvRecord fields = records.next();
        next = fields.getStartingLineNumber();
        byte[] joined = String.join("\n", fields.getFields()).getBytes(StandardCharsets.ISO_8859_1);
        row.begin(joined, (int) next, 0);
        int at = -1;
        for (String field : fields.getFields()) {
          at += 1 + field.length();
          row.addCell(at);
        }
        if (!taker.take(row)) {
          return;
        }
        next += 1 + fields.getFields().stream().mapToLong(CsvRows::breaks).sum();
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

  private static long breaks(String field) {
    byte[] bytes = field.getBytes(StandardCharsets.ISO_8859_1);
    return CsvChunk.lines(bytes, 0, bytes.length);
  }
}
