package mlpcuda.report;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import mlpcuda.files.Protobuf;
import mlpcuda.files.WholeFile;

/**
 * A file of TensorBoard's events: TFRecords, each an {@code Event} message (tensorflow/core: {@code
 * lib/io/record_writer.cc}, {@code util/event.proto}). Events that are added are kept in memory
 * until {@link #flush}, so that a reader never waits for the rest of a record.
 */
final class EventFile implements AutoCloseable {
  private static final int WALL_TIME = 1; // fields of the message Event
  private static final int STEP = 2;
  private static final int FILE_VERSION = 3;
  private static final int SESSION_LOG = 7;

  private static final int STATUS = 1; // a field of the message SessionLog
  private static final int START = 1;

  private static final int CRC_MASK = 0xA282EAD8;

  private final Path path;
  private final OutputStream out;
  private final ByteArrayOutputStream waiting = new ByteArrayOutputStream();

  /**
   * Makes a new file in {@code folder}, and the folder itself if it is missing.
   *
   * @param step the number of the first step that may follow; TensorBoard drops the events of older
   *     files in the folder from this step on
   * @throws UncheckedIOException if the file cannot be written
   */
  EventFile(Path folder, long step) {
    try {
      Files.createDirectories(folder);
      String name =
          "events.out.tfevents.%010d.%s.mlp-cuda"
              .formatted(
                  System.currentTimeMillis() / 1000, Host.name().replaceAll("[^A-Za-z0-9.-]", "_"));
      Path made = folder.resolve(name);
      OutputStream opened = null;
      for (int i = 2; opened == null; i++) {
        try {
          opened =
              Files.newOutputStream(made, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (FileAlreadyExistsException e) { // another run began in the same second
          made = folder.resolve(name + "." + i);
        }
      }
      path = made;
      out = opened;
    } catch (IOException e) {
      throw WholeFile.notAFolder(folder.toString(), e);
    }
    record(event().add(FILE_VERSION, "brain.Event:2"));
    add(step, SESSION_LOG, new Protobuf().add(STATUS, START));
    try {
      flush();
    } catch (UncheckedIOException e) {
      close();
      throw e;
    }
  }

  /** Adds an event of the given step, whose field {@code field} is {@code what}. */
  void add(long step, int field, Protobuf what) {
    record(event().add(STEP, step).add(field, what));
  }

  /**
   * Writes the added events.
   *
   * @throws UncheckedIOException if writing fails; the events are then dropped
   */
  void flush() {
    byte[] bytes = waiting.toByteArray();
    waiting.reset();
    try {
      out.write(bytes);
    } catch (IOException e) {
      throw WholeFile.cannotBeWritten(path, e);
    }
  }

  /** Writes the added events and closes the file. */
  @Override
  public void close() {
    try (out) {
      flush();
    } catch (IOException e) {
      throw WholeFile.cannotBeWritten(path, e);
    }
  }

  private static Protobuf event() {
    return new Protobuf().add(WALL_TIME, System.currentTimeMillis() / 1e3);
  }

  private void record(Protobuf event) {
    byte[] data = event.toByteArray();
    byte[] length = littleEndian(8).putLong(data.length).array();
    waiting.writeBytes(length);
    waiting.writeBytes(littleEndian(4).putInt(maskedCrc(length)).array());
    waiting.writeBytes(data);
    waiting.writeBytes(littleEndian(4).putInt(maskedCrc(data)).array());
  }

  private static int maskedCrc(byte[] bytes) {
    var crc = new CRC32C();
    crc.update(bytes);
    return Integer.rotateRight((int) crc.getValue(), 15) + CRC_MASK;
  }

  private static ByteBuffer littleEndian(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
