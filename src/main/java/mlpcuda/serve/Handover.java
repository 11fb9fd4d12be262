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
 * Hands pictures from the threads that speak HTTP to the one thread that may drive the device: a
 * CUDA context belongs to the thread that made it.
 */
final class Handover {
  /** The most pictures that wait; further ones are refused. */
  static final int WAITING = 8;

  private static final int POLL_MILLIS = 50;

  private record Question(byte[] body, boolean raw, CompletableFuture<byte[]> answer) {}

  private final BlockingQueue<Question> questions = new ArrayBlockingQueue<>(WAITING);
  private final int seconds;

  /** Makes pictures wait for their answers at most {@code seconds}. */
  Handover(int seconds) {
    this.seconds = seconds;
  }

  /** The function that answers pictures. */
  interface Answering {
    byte[] answer(byte[] body, boolean raw) throws RefusedException;
  }

  /**
   * Asks {@link Answering} about a picture, and does not wait for the answer. The future fails with
   * a {@link RefusedException} if {@code Answering} refuses the picture, if others wait already, or
   * if the answer takes too long, and with what {@code Answering} throws otherwise.
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
              questions.remove(question); // its bytes are no longer needed
              return CompletableFuture.failedFuture(
                  new RefusedException(
                      503, "busy: an answer must come within %d s, found none".formatted(seconds)));
            });
  }

  /**
   * Answers pictures, in the calling thread, until it is told to stop.
   *
   * @param failed gets failures that are bugs; the next picture is answered nevertheless
   * @throws DeviceException if the device fails: nothing will be answered after that
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
      if (question == null || question.answer().isDone()) { // nobody waits for the answer any more
        continue;
      }
      try {
        question.answer().complete(answers.answer(question.body(), question.raw()));
      } catch (RefusedException e) {
        question.answer().completeExceptionally(e);
      } catch (DeviceException e) {
        question.answer().completeExceptionally(e);
        throw e;
      } catch (RuntimeException | Error e) { // a picture's decoder must not end the server
        failed.accept(e);
        question.answer().completeExceptionally(e);
      }
    }
  }
}
