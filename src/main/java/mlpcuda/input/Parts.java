package mlpcuda.input;

import java.util.List;
import java.util.Optional;
import mlpcuda.data.Part;

/**
 * The sets of examples that a reader found in one place.
 *
 * @param train the training set, or the only set where the place does not tell several sets apart
 * @param test the test set
 * @param validation the validation set
 * @param warnings sentences that the user should see, such as one about pictures that were left out
 */
public record Parts(
    Part train, Optional<Part> test, Optional<Part> validation, List<String> warnings) {
  /** A training set alone, about which there is nothing to say. */
  static Parts of(Part train) {
    return new Parts(train, Optional.empty(), Optional.empty(), List.of());
  }
}
