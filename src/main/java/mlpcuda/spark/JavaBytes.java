package mlpcuda.spark;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;

/**
 * Values as bytes of Java's serialization. Spark writes what it sends as data by the serializer
 * that the application chose, and Kryo's release in Spark 4 fails at records; any serializer writes
 * bytes.
 */
public final class JavaBytes {
  private JavaBytes() {}

  /** The bytes of a value. */
  public static byte[] of(Serializable value) {
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(value);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** The value that {@link #of} wrote in a process of the same application. */
  public static <T> T read(byte[] bytes, Class<T> type) {
    try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
      return type.cast(in.readObject());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }
}
