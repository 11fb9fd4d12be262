package mlpcuda.net;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Resources;
import mlpcuda.random.Philox;

/**
 * The weights of a network, the optimizer's state and, where a step needs them, the gradients: one
 * arena each, so that the optimizer is one operation, and named slices of them for the layers.
 * There may be an arena of the weights' exponential moving average, too: {@link Ops#averageStep}.
 */
public final class Parameters implements AutoCloseable {
  /** The alignment of a tensor's place, in floats: a GPU reads 128 bytes at a time. */
  static final int ALIGNMENT = 32;

  /**
   * The place of a tensor in the arenas.
   *
   * @param name the tensor's name in PyTorch: {@code layers.0.weight}, {@code layers.0.bias}
   * @param shape (O, I) or (O)
   * @param offset the tensor's first element in the arena
   */
  public record Tensor(String name, List<Integer> shape, int offset) {
    /** Number of elements. */
    public int length() {
      return shape.stream().reduce(1, Math::multiplyExact);
    }
  }

  /**
   * The optimizer's state between steps, each list in the order of {@link #tensors}.
   *
   * @param m the first moments of the gradients
   * @param v the second moments of the gradients
   */
  public record State(List<float[]> m, List<float[]> v) {}

  /** The gradients of one layer's tensors, or the tensors themselves. */
  record Layer(Buffer weight, Buffer bias) {}

  private final Resources resources = new Resources();
  private final Ops ops;
  private final MlpShape shape;
  private final List<Tensor> tensors;
  private final int length;
  private final Buffer w;
  private final Buffer m; // this and the next: null for a network that only predicts
  private final Buffer v;
  private final double decay; // the decay of the average; 0: there is none
  private final Optional<Parameters> average;
  private Buffer dw; // null until it is needed: a fused step has none
  private final List<Layer> layers = new ArrayList<>();
  private final List<Layer> gradients = new ArrayList<>();

  /** Zeros of the given shape on the given device. */
  public Parameters(Ops ops, MlpShape shape) {
    this(ops, shape, 0);
  }

  /**
   * Zeros of the given shape on the given device, with an average of the weights that each step
   * moves.
   *
   * @param decay the decay of the average, below 1; 0: there is no average
   */
  public Parameters(Ops ops, MlpShape shape, double decay) {
    this(ops, shape, true, decay);
  }

  /** Weights alone, zeros, for a network that only predicts. */
  public static Parameters forInference(Ops ops, MlpShape shape) {
    return new Parameters(ops, shape, false, 0);
  }

  private Parameters(Ops ops, MlpShape shape, boolean learning, double decay) {
    this.ops = ops;
    this.shape = shape;
    this.tensors = tensors(shape);
    this.length = length(shape);
    this.w = resources.open(() -> ops.allocate("w", Type.FLOAT32, length));
    this.m = learning ? resources.open(() -> ops.allocate("m", Type.FLOAT32, length)) : null;
    this.v = learning ? resources.open(() -> ops.allocate("v", Type.FLOAT32, length)) : null;
    for (int layer = 0; layer < shape.layers(); layer++) {
      layers.add(layer(w, "", layer));
    }
    this.decay = decay;
    this.average =
        decay > 0
            ? Optional.of(resources.open(() -> new Parameters(ops, shape, false, 0)))
            : Optional.empty();
  }

  /** The average of these weights; empty: none is kept. */
  Optional<Parameters> average() {
    return average;
  }

  /** The weights that questions are answered with: the average where one is kept, else these. */
  public Parameters answering() {
    return average.orElse(this);
  }

  /**
   * Moves the average, if one is kept, after a step.
   *
   * @param step (1) INT32: the step's number, from 1
   */
  void moveAverage(Buffer step) {
    average.ifPresent(of -> ops.averageStep(of.w, w, step, length, decay));
  }

  /** Allocates the gradients, zeros, unless that was done. */
  void needGradients() {
    if (dw == null) {
      dw = resources.add(ops.allocate("dw", Type.FLOAT32, length));
      for (int layer = 0; layer < layers.size(); layer++) {
        gradients.add(layer(dw, "d ", layer));
      }
    }
  }

  private Layer layer(Buffer arena, String prefix, int layer) {
    Tensor weight = tensors.get(2 * layer);
    Tensor bias = tensors.get(2 * layer + 1);
    return new Layer(
        arena.slice(prefix + weight.name, weight.offset, weight.length()),
        arena.slice(prefix + bias.name, bias.offset, bias.length()));
  }

  /** The number of floats of the weights of a network of that shape, and between them. */
  public static int length(MlpShape shape) {
    List<Tensor> tensors = tensors(shape);
    Tensor last = tensors.get(tensors.size() - 1);
    return last.offset + last.length();
  }

  /** The place of each tensor of a network of that shape, layer by layer. */
  public static List<Tensor> tensors(MlpShape shape) {
    var tensors = new ArrayList<Tensor>();
    int offset = 0;
    for (int layer = 0; layer < shape.layers(); layer++) {
      int I = shape.inputs(layer);
      int O = shape.outputs(layer);
      tensors.add(new Tensor("layers." + layer + ".weight", List.of(O, I), offset));
      offset = aligned(offset + O * I);
      tensors.add(new Tensor("layers." + layer + ".bias", List.of(O), offset));
      offset = aligned(offset + O);
    }
    return List.copyOf(tensors);
  }

  private static int aligned(int offset) {
    return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** The device that they are on. */
  public Ops ops() {
    return ops;
  }

  /** The shape of the network that they are of. */
  public MlpShape shape() {
    return shape;
  }

  /** The place of each tensor, layer by layer. */
  public List<Tensor> tensors() {
    return tensors;
  }

  /** The length of an arena: the tensors, and zeros between them. */
  int length() {
    return length;
  }

  Buffer w() {
    return w;
  }

  Buffer dw() {
    return dw;
  }

  Buffer m() {
    return m;
  }

  Buffer v() {
    return v;
  }

  Layer layer(int layer) {
    return layers.get(layer);
  }

  Layer gradient(int layer) {
    return gradients.get(layer);
  }

  /**
   * The initial weights of {@code torch.nn.Linear}, from our own random numbers: weights and biases
   * uniform in (−1/√I, 1/√I).
   */
  public void initialise(long seed) {
    write(initial(shape, seed));
  }

  /** The weights that {@link #initialise} sets, in the order of {@link #tensors}. */
  public static List<float[]> initial(MlpShape shape, long seed) {
    List<Tensor> tensors = tensors(shape);
    var values = new ArrayList<float[]>();
    int[] words = new int[4];
    for (int t = 0; t < tensors.size(); t++) {
      int I = tensors.get(t - t % 2).shape.get(1); // a bias has its weight's bound
      float bound = (float) (1 / Math.sqrt(I));
      float[] tensor = new float[tensors.get(t).length()];
      for (int i = 0; i < tensor.length; i++) {
        if (i % 4 == 0) {
          Philox.block(words, i / 4, t, 0, Philox.Use.INITIAL_WEIGHTS, seed);
        }
        tensor[i] = (2 * Philox.uniform(words[i % 4]) - 1) * bound;
      }
      values.add(tensor);
    }
    return values;
  }

  /**
   * Sets the weights of all tensors, in the order and with the lengths of {@link #tensors}. An
   * average of them begins anew, with these values.
   */
  public void write(List<float[]> weights) {
    join(weights, w);
    average.ifPresent(of -> of.write(weights));
  }

  /** The weights of all tensors, in the order of {@link #tensors}. */
  public List<float[]> read() {
    return split(w);
  }

  /**
   * The gradients of all tensors, in the order of {@link #tensors}; empty where no step needed
   * memory for them.
   */
  public List<float[]> readGradients() {
    return dw == null ? List.of() : split(dw);
  }

  /** The optimizer's state: zeros before the first step. */
  public State readState() {
    return new State(split(m), split(v));
  }

  /** Sets the optimizer's state, in the order and with the lengths of {@link #tensors}. */
  public void writeState(State state) {
    join(state.m, m);
    join(state.v, v);
  }

  private void join(List<float[]> parts, Buffer arena) {
    if (parts.size() != tensors.size()) {
      throw new IllegalArgumentException(
          "%d tensors must be given, found %d".formatted(tensors.size(), parts.size()));
    }
    float[] values = new float[length];
    for (int t = 0; t < tensors.size(); t++) {
      Tensor tensor = tensors.get(t);
      if (parts.get(t).length != tensor.length()) {
        throw new IllegalArgumentException(
            "%s must hold %d values, found %d"
                .formatted(tensor.name, tensor.length(), parts.get(t).length));
      }
      System.arraycopy(parts.get(t), 0, values, tensor.offset, tensor.length());
    }
    ops.write(arena, values);
  }

  private List<float[]> split(Buffer arena) {
    float[] values = new float[length];
    ops.read(arena, values);
    var parts = new ArrayList<float[]>();
    for (int t = 0; t < tensors.size(); t++) {
      Tensor tensor = tensors.get(t);
      parts.add(Arrays.copyOfRange(values, tensor.offset, tensor.offset + tensor.length()));
    }
    return List.copyOf(parts);
  }

  @Override
  public void close() {
    resources.close();
  }
}
