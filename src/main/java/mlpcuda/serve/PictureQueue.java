package mlpcuda.serve;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import mlpcuda.error.DeviceException;

/**
 * A queue of pictures between the threads that speak HTTP and the one thread that may use the
 * device: a CUDA context belongs to the thread that created it.
 */
final class PictureQueue {
  /** The greatest number of waiting pictures; further pictures are refused. */
  static final int WAITING = 8;

  private static final int POLL_MILLIS = 50;

  private record Question(byte[] body, boolean raw, CompletableFuture<byte[]> answer) {}

  private final BlockingQueue<Question> questions = new ArrayBlockingQueue<>(WAITING);
  private final int seconds;

  /** Creates a queue in which a picture waits at most {@code seconds} for its answer. */
  PictureQueue(int seconds) {
    this.seconds = seconds;
  }

  /** Recognises a picture and returns the answer. */
  interface Answering {
    byte[] answer(byte[] body, boolean raw) throws RefusedException;
  }

  /**
   * Adds a picture to the queue, without waiting for its answer. The future fails with a {@link
   * RefusedException} if {@link Answering} refuses the picture, if the queue is full, or if the
   * answer takes too long; any other exception of {@code Answering} is passed on.
   */
  CompletableFuture<byte[]> ask(byte[] body, boolean raw) {
    var question = new Question(body, raw, new CompletableFuture<>());
    if (!questions.offer(question)) {
      return CompletableFuture.failedFuture(
          new RefusedException(
              503, "busy: at most %d pictures may wait, found more".formatted(WAITING)));
    }
    return question
        .answer()
        .orTimeout(seconds, TimeUnit.SECONDS)
        .exceptionallyCompose(
            failure -> {
              if (!(failure instanceof TimeoutException)) {
                return CompletableFuture.failedFuture(failure);
              }
              questions.remove(question); // nobody will read an answer, so the picture is freed
              return CompletableFuture.failedFuture(
                  new RefusedException(
                      503, "busy: the picture was not answered within %d s".formatted(seconds)));
            });
  }

  /**
   * Answers pictures in the calling thread until {@code stopping} returns true.
   *
   * @param failed receives exceptions that are bugs, after which the next picture is answered
   * @throws DeviceException if the device fails, after which no picture can be answered
   */
  void answer(Answering answers, BooleanSupplier stopping, Consumer<Throwable> failed) {
    while (!stopping.getAsBoolean()) {
      Question question;
      try {
        question = questions.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      if (question == null || question.answer().isDone()) { // nobody waits for this answer any more
        continue;
      }
      try {
        question.answer().complete(answers.answer(question.body(), question.raw()));
      } catch (RefusedException e) {
        question.answer().completeExceptionally(e);
      } catch (DeviceException e) {
        question.answer().completeExceptionally(e);
        throw e;
      } catch (RuntimeException | Error e) { // a decoder's failure must not end the server
        failed.accept(e);
        question.answer().completeExceptionally(e);
      }
    }
  }
}
