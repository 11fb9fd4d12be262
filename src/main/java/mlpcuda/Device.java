package mlpcuda;

import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaDevices;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.error.DeviceException;
import mlpcuda.files.CacheFolder;
import mlpcuda.run.DeviceChoice;

/**
 * A GPU or a CPU that computes. Whoever opens it closes it, after all models on it. Its work is
 * done by a thread of its own, one call after another, so that any thread may ask.
 */
public final class Device implements AutoCloseable {
  private final ExecutorService worker;
  private final DeviceChoice choice;
  private final Function<DeviceChoice, Ops> opener;
  private final Thread thread;
  private final Ops ops;
  private final String description;

  private Device(DeviceChoice choice, Function<DeviceChoice, Ops> opener) {
    this.choice = choice;
    this.opener = opener;
    var threads = new Thread[1];
    this.worker =
        Executors.newSingleThreadExecutor(
            task -> {
              threads[0] = new Thread(task, "mlp-cuda-device");
              threads[0].setDaemon(true); // a device that nobody closes must not hold the JVM up
              return threads[0];
            });
    try { // the thread that opens a device must drive it
      this.ops = result(worker.submit(() -> opener.apply(choice)), () -> {});
      this.description = result(worker.submit(() -> ops.description()), () -> {});
    } catch (RuntimeException | Error e) {
      worker.shutdown();
      throw e;
    }
    this.thread = threads[0];
  }

  /** Opens GPU 0, or the CPU if that GPU cannot be used; the log says why. */
  public static Device best() {
    try {
      return gpu(0);
    } catch (DeviceException e) {
      LibraryReporter.LOG.log(
          System.Logger.Level.DEBUG, "The CPU computes, because no GPU is used: {0}", e.why());
      return cpu();
    }
  }

  /** Opens the CPU with all its processors. */
  public static Device cpu() {
    return cpu(Runtime.getRuntime().availableProcessors());
  }

  /**
   * Opens the CPU.
   *
   * @param threads the number of threads, from 1 to 1024, on which the last bits of sums depend
   */
  public static Device cpu(int threads) {
    return new Device(
        new DeviceChoice.Cpu(threads, CudaOptions.DEFAULT),
        cpu -> {
          CpuOps.load();
          return new CpuOps(((DeviceChoice.Cpu) cpu).threads(), Precision.FP32);
        });
  }

  /**
   * Opens an NVIDIA GPU.
   *
   * @param index the GPU's number as CUDA counts, from 0
   * @throws DeviceException if it cannot be used, with the cause and what to do
   */
  public static Device gpu(int index) {
    return gpu(index, new CudaDevices(CacheFolder.natives()));
  }

  /**
   * Opens an NVIDIA GPU, whose products have operands of that precision.
   *
   * @param index the GPU's number as CUDA counts, from 0
   * @param precision {@code fp32}, {@code tf32}, {@code bf16} or {@code fp16}; weights and sums are
   *     in single precision whatever it is
   * @throws DeviceException if it cannot be used, with the cause and what to do
   * @throws IllegalArgumentException if there is no precision of that name
   */
  public static Device gpu(int index, String precision) {
    Precision of =
        Arrays.stream(Precision.values())
            .filter(known -> known.label().equals(precision))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "the precision must be fp32, tf32, bf16 or fp16, found " + precision));
    return gpu(index, new CudaDevices(CacheFolder.natives()), CudaOptions.DEFAULT.with(of));
  }

  static Device gpu(int index, Gpus gpus) {
    return gpu(index, gpus, CudaOptions.DEFAULT);
  }

  private static Device gpu(int index, Gpus gpus, CudaOptions options) {
    if (index < 0) {
      throw new IllegalArgumentException("the index of a GPU must be at least 0, found " + index);
    }
    return new Device(
        new DeviceChoice.Gpu(index, options),
        gpu -> {
          gpus.load();
          return new CudaOps(gpus.open(index), options);
        });
  }

  DeviceChoice choice() {
    return choice;
  }

  /** Opens the device once more, for the calling thread, which closes it. */
  Ops another(DeviceChoice of) {
    return opener.apply(of);
  }

  /** The operations of the device, for its own thread alone. */
  Ops ops() {
    return ops;
  }

  /** Runs a task on the device's thread, and returns its result or throws its exception. */
  <T> T call(Callable<T> task) {
    return call(task, () -> {});
  }

  /**
   * Runs a task on the device's thread, and returns its result or throws its exception.
   *
   * @param interrupted called if this thread is interrupted while it waits; it goes on waiting, and
   *     is still interrupted afterwards
   */
  <T> T call(Callable<T> task, Runnable interrupted) {
    if (Thread.currentThread() == thread) {
      throw new IllegalStateException(
          "the device is at work for the caller of this method, and cannot take up other work"
              + " meanwhile; ask it after the training, or ask another device");
    }
    try {
      return result(worker.submit(task), interrupted);
    } catch (RejectedExecutionException e) {
      throw new IllegalStateException("the device is closed", e);
    }
  }

  private static <T> T result(Future<T> future, Runnable interrupted) {
    boolean wasInterrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          wasInterrupted = true;
          interrupted.run();
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** The device in words: its name, its software, and how it runs steps. */
  @Override
  public String toString() {
    return description;
  }

  /** Closes the device, after all work that it was asked for; closing it again does nothing. */
  @Override
  public void close() {
    if (!worker.isShutdown()) {
      try {
        call(
            () -> {
              ops.close();
              return null;
            });
      } finally {
        worker.shutdown();
      }
    }
  }
}
