package mlpcuda.run;

import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** Does many tasks, several at once, each on one of a few threads. */
public final class SideBySide {
  /** A task, which throws nothing. */
  public interface Task {
    /**
     * Does a task.
     *
     * @param thread the number of the thread, from 0
     * @param task the number of the task, from 0
     */
    void run(int thread, int task);
  }

  private SideBySide() {}

  /**
   * Does the tasks in their order, and returns when all are done, or those that were begun when the
   * program was told to stop. What they wrote is then visible to the calling thread.
   *
   * @param name what the threads' names begin with
   * @param count the number of tasks
   * @param most the number of threads, at most
   * @param stop asked before each task whether to begin no further one
   */
  public static void run(String name, int count, int most, BooleanSupplier stop, Task tasks) {
    var next = new AtomicInteger();
    var threads = new ArrayList<Thread>();
    for (int t = 0; t < Math.min(most, count); t++) {
      int thread = t;
      Runnable work =
          () -> {
            for (int task = next.getAndIncrement();
                task < count && !stop.getAsBoolean();
                task = next.getAndIncrement()) {
              tasks.run(thread, task);
            }
          };
      threads.add(new Thread(work, name + "-" + (t + 1)));
    }
    threads.forEach(Thread::start);
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("the work is ended by its stop, not by an interrupt", e);
    }
  }
}
