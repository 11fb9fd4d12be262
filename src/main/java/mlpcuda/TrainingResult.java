package mlpcuda;

import java.util.List;
import java.util.Optional;

/**
 * The result of a training.
 *
 * @param network the trained network, or the committee: that of the last epoch, or of the best one
 *     if the training keeps that
 * @param test how the network answers the test set
 * @param validation how the network answers the held-back examples; empty if there are none
 * @param epochs the results of the epochs that were trained, in their order; of a committee those
 *     of its members one after another
 * @param importance the importance of each column of a table, the most important first; empty if
 *     {@link Training#importance} did not ask for it
 */
public record TrainingResult(
    Network network,
    Evaluation test,
    Optional<Evaluation> validation,
    List<EpochResult> epochs,
    List<ColumnImportance> importance) {}
