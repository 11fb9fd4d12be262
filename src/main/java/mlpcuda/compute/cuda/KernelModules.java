package mlpcuda.compute.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import mlpcuda.compute.Precision;

/** The program's modules of kernels, for one stream and one precision of products. */
final class KernelModules {
  private final LaunchStream stream;
  private final Precision precision;
  private final List<String> early = new ArrayList<>(); // notes before there was a listener
  private Consumer<String> notes = early::add;

  KernelModules(LaunchStream stream, Precision precision) {
    this.stream = stream;
    this.precision = precision;
  }

  /** A module, not loaded yet; the caller closes it. */
  KernelModule module(String name) {
    return module(name, stream.handle());
  }

  /** A module, not loaded yet, whose kernels run on another stream; the caller closes it. */
  KernelModule module(String name, long handle) {
    var other = new LaunchStream(stream.driver(), handle, stream.launching());
    return new KernelModule(other, name, line -> notes.accept(line));
  }

  /**
   * The module, not loaded yet, of a family whose modules differ in the precision of products; the
   * caller closes it.
   */
  KernelModule ofPrecision(String family) {
    return module(precision == Precision.FP32 ? family : family + "_" + precision.label());
  }

  /**
   * The module, not loaded yet, of large tiles in single precision: the one for the device's
   * compute capability. The caller closes it.
   */
  KernelModule large() {
    boolean copies = stream.driver().device().capability().major() >= 8;
    return module(copies ? "large_async" : "large");
  }

  /** Tells a listener the notes of all modules: those made before this call, and from now on. */
  void tellNotes(Consumer<String> listener) {
    early.forEach(listener);
    early.clear();
    notes = listener;
  }
}
