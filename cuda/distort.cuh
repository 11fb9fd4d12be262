// Distortion of images: each is resampled once at places that are turned, sheared, scaled, moved and displaced at
// random, and perhaps loses a rectangle. mlpcuda.compute.Distortion has the formula, and
// mlpcuda.compute.DistortionDraws the random numbers.
//
// The displacements are two fields of random numbers, which a Gaussian smooths along the rows and then along the
// columns. Both fields lie side by side as float2. A thread smooths STRIP neighbouring places of a line: it loads each
// value once for all of them, and one weight for each value, because the other weights are those of the value before.
#pragma once

#include "gather.cuh"
#include "philox.cuh"

namespace op {

constexpr int STRIP = 4;
constexpr int DISTORT_THREADS = 256;
constexpr int NOISE = 16 / 4;         // the first block of random numbers that belongs to pixels
constexpr int DRAWS = 12;             // the words that belong to the image
constexpr int MOST_WEIGHTS = 193;     // the longest window reaches three times 64 pixels on each side
constexpr int SMALL_FIELD = 32 * 33;  // the most floats of a field that lies in shared memory

// What all images of a launch share; mlpcuda.compute.cuda.DistortionKernels writes it word by word.
struct Distorting {
  unsigned seed_low, seed_high;
  int use, epoch;
  float alpha, rotate, shear, scale, translate, erase;
  float factor, shift;                // the map from a pixel's value to an input
  int R;                              // the pixels on each side that the window reaches
  float window[MOST_WEIGHTS + STRIP];  // the weights of the pixels 0 ... R away, then zeros
};

struct ImageSize {
  int rows, cols, channels;

  __device__ int pixels() const { return rows * cols; }
};

__device__ inline int strips(int n) { return (n - 1) / STRIP + 1; }

__device__ inline Block draw(const Distorting &its, int number, int example) {
  return philox({unsigned(number), unsigned(example), unsigned(its.epoch), unsigned(its.use)}, its.seed_low,
                its.seed_high);
}

// Returns the displacements of a pixel, across and down, that a word stands for: exact numbers in -1 ... 1.
__device__ inline float2 displacement(unsigned word) {
  int across = word & 0xffff, down = word >> 16;
  return make_float2((2 * across - 0xffff) * 0x1p-16f, (2 * down - 0xffff) * 0x1p-16f);
}

// Stores the displacements of 4 pixels from `first` on, in rows that begin `pitch` apart.
__device__ inline void put_noise(float2 *noise, const Block &words, int first, int pitch, ImageSize size) {
  int row = first / size.cols, col = first % size.cols;
#pragma unroll
  for (int k = 0; k < 4; k++) {
    if (row < size.rows) {
      noise[row * pitch + col] = displacement(words.word[k]);
    }
    if (++col == size.cols) {
      col = 0;
      row++;
    }
  }
}

// Computes the sums, weighted by the window, around STRIP places from `first` on of a line of n displacements, which
// lie `pitch` apart. Beyond the line all is 0. Threads of a warp should have the same `first`: they load the same
// weight then.
__device__ inline void smooth(float2 (&sum)[STRIP], const float2 *line, int pitch, int n, int first,
                              const float *window, int R) {
  int begin = max(first - R, 0), end = min(first + STRIP + R, n);
  float weights[STRIP] = {};  // for each place, the weight of one value
#pragma unroll
  for (int k = 0; k < STRIP; k++) {
    sum[k] = make_float2(0, 0);
    if (k < STRIP - 1) {
      weights[k] = window[abs(begin - 1 - first - k)];
    }
  }
#pragma unroll 4
  for (int j = begin; j < end; j++) {
#pragma unroll
    for (int k = STRIP - 1; k > 0; k--) {
      weights[k] = weights[k - 1];
    }
    weights[0] = window[abs(j - first)];
    float2 value = line[j * pitch];
#pragma unroll
    for (int k = 0; k < STRIP; k++) {
      sum[k].x = fmaf(weights[k], value.x, sum[k].x);
      sum[k].y = fmaf(weights[k], value.y, sum[k].y);
    }
  }
}

// The map from a pixel of the distorted image to the place that it comes from, without displacements, and the rectangle
// that is erased.
struct Move {
  float xx, xy, yx, yy;
  float from_x, from_y, to_x, to_y;  // the point that is turned around: the centre, in the distorted image and before
  int top, left, bottom, right;

  // Distances from the centre are small numbers with small errors: the map's constant is never computed.
  __device__ float x(int row, int col) const { return fmaf(xx, col - from_x, fmaf(xy, row - from_y, to_x)); }
  __device__ float y(int row, int col) const { return fmaf(yx, col - from_x, fmaf(yy, row - from_y, to_y)); }
  __device__ bool erases(int row, int col) const { return row >= top && row < bottom && col >= left && col < right; }
};

__device__ inline float uniform(unsigned word) { return (word >> 8) * 0x1p-24f; }

// Returns a number in [-1, 1).
__device__ inline float signed_of(unsigned word) { return 2 * uniform(word) - 1; }

// Returns a number from 0 to bound - 1.
__device__ inline int below(unsigned word, int bound) { return (unsigned long long)(word >> 16) * bound >> 16; }

__device__ inline Move move_of(const unsigned *words, const Distorting &its, ImageSize size) {
  Move move;
  float sin, cos, sheared, upright;  // angles in half turns are exact where those in radians are not
  sincospif(its.rotate * signed_of(words[0]) / 180, &sin, &cos);
  sincospif(its.shear * signed_of(words[1]) / 180, &sheared, &upright);
  float slope = sheared / upright;
  float width = 1 + its.scale * signed_of(words[2]) / 100, height = 1 + its.scale * signed_of(words[3]) / 100;
  move.xx = fmaf(slope, sin, cos) / width;
  move.xy = fmaf(-slope, cos, sin) / width;
  move.yx = -sin / height;
  move.yy = cos / height;
  move.to_x = (size.cols - 1) * 0.5f;
  move.to_y = (size.rows - 1) * 0.5f;
  move.from_x = fmaf(its.translate, signed_of(words[4]), move.to_x);
  move.from_y = fmaf(its.translate, signed_of(words[5]), move.to_y);
  bool erases = uniform(words[6]) < its.erase;
  int high = erases ? 1 + below(words[8], max(1, size.rows * 3 / 8)) : 0;
  int wide = erases ? 1 + below(words[9], max(1, size.cols * 3 / 8)) : 0;
  move.top = below(words[10], size.rows - high + 1);
  move.left = below(words[11], size.cols - wide + 1);
  move.bottom = move.top + high;
  move.right = move.left + wide;
  return move;
}

// A place between four pixels of an original, and which of them count: those outside of the original are 0.
struct Place {
  float right, under;  // the distances from the upper left one
  int at;              // the number of the upper left one's first value
  bool a, b, c, d;     // upper left, upper right, lower left, lower right

  // If `erased` is true, no pixel counts.
  __device__ Place(float x, float y, bool erased, ImageSize size) {
    x = fminf(fmaxf(x, -1), size.cols);  // no further than where all four are outside: an int holds the place
    y = fminf(fmaxf(y, -1), size.rows);
    int col = __float2int_rd(x), row = __float2int_rd(y);
    right = x - col;
    under = y - row;
    at = (row * size.cols + col) * size.channels;
    bool on_left = unsigned(col) < size.cols, on_right = unsigned(col + 1) < size.cols;
    bool above = unsigned(row) < size.rows && !erased, beneath = unsigned(row + 1) < size.rows && !erased;
    a = above && on_left;
    b = above && on_right;
    c = beneath && on_left;
    d = beneath && on_right;
  }

  // Interpolates linearly in both directions; `from` is the original, from the channel on.
  __device__ float value(const unsigned char *__restrict__ from, ImageSize size) const {
    int next = at + size.channels, below = at + size.cols * size.channels;
    float upper_left = a ? from[at] : 0, upper_right = b ? from[next] : 0;
    float lower_left = c ? from[below] : 0, lower_right = d ? from[below + size.channels] : 0;
    float upper = fmaf(right, upper_right - upper_left, upper_left);
    float lower = fmaf(right, lower_right - lower_left, lower_left);
    return fmaf(under, lower - upper, upper);
  }
};

// The images of a launch.
struct DistortedImages {
  float *x;  // (B, I)
  const unsigned char *__restrict__ images;
  const int *__restrict__ numbers;  // (B)
  int staged;                       // whether image b is row b of `images`, and not row numbers[b]
  ImageSize size;

  // Returns the place that a pixel's value comes from.
  __device__ Place place(int row, int col, float2 displaced, const Distorting &its, const Move &move) const {
    return Place(fmaf(its.alpha, displaced.x, move.x(row, col)), fmaf(its.alpha, displaced.y, move.y(row, col)),
                 move.erases(row, col), size);
  }

  // Stores STRIP pixels of image b, one below the other.
  __device__ void put(int b, int first, int col, const float2 (&displaced)[STRIP], const Distorting &its,
                      const Move &move) const {
    int length = size.pixels() * size.channels;
    const unsigned char *from = images + size_t(staged ? b : numbers[b]) * length;
    UniformScaling scaling = {its.factor, its.shift};
    float *to = x + size_t(b) * length;
#pragma unroll
    for (int k = 0; k < STRIP; k += 2) {
      int row = first + k, at = (row * size.cols + col) * size.channels;
      Place upper = place(row, col, displaced[k], its, move), lower = place(row + 1, col, displaced[k + 1], its, move);
#pragma unroll 1
      for (int channel = 0; channel < size.channels; channel++) {
        float above = upper.value(from + channel, size), beneath = lower.value(from + channel, size);
        if (row < size.rows) {  // after the loads of both pixels, which are under way together
          to[at + channel] = scaling(above, 0);
        }
        if (row + 1 < size.rows) {
          to[at + size.cols * size.channels + channel] = scaling(beneath, 0);
        }
      }
    }
  }
};

__device__ inline void put_words(unsigned *to, const Block &words) {
#pragma unroll
  for (int k = 0; k < 4; k++) {
    to[k] = words.word[k];
  }
}

// Distorts images whose fields lie in shared memory, with a pitch that is odd: lanes that have neighbouring rows then
// load from different banks, as those do that have neighbouring columns. Each block has one image.
__device__ inline void distort_small(const DistortedImages &images, const Distorting &its) {
  __shared__ float2 noise[SMALL_FIELD], across[SMALL_FIELD];
  __shared__ float window[MOST_WEIGHTS + STRIP];
  __shared__ unsigned words[DRAWS];
  __shared__ Move move;
  ImageSize size = images.size;
  int pitch = size.cols | 1, b = blockIdx.x, example = images.numbers[b];

  for (int i = threadIdx.x; i < its.R + STRIP; i += DISTORT_THREADS) {
    window[i] = its.window[i];
  }
  for (int number = threadIdx.x; number < NOISE + (size.pixels() + 3) / 4; number += DISTORT_THREADS) {
    Block drawn = draw(its, number, example);
    if (number < DRAWS / 4) {
      put_words(words + 4 * number, drawn);
    } else if (number >= NOISE) {
      put_noise(noise, drawn, 4 * (number - NOISE), pitch, size);
    }
  }
  __syncthreads();
  if (threadIdx.x == DISTORT_THREADS - 1) {  // the last warp has the fewest strips
    move = move_of(words, its, size);
  }
  for (int e = threadIdx.x; e < size.rows * strips(size.cols); e += DISTORT_THREADS) {
    int row = e % size.rows, first = e / size.rows * STRIP;
    float2 sum[STRIP];
    smooth(sum, noise + row * pitch, 1, size.cols, first, window, its.R);
#pragma unroll
    for (int k = 0; k < STRIP; k++) {
      if (first + k < size.cols) {
        across[row * pitch + first + k] = sum[k];
      }
    }
  }
  __syncthreads();
  for (int e = threadIdx.x; e < size.cols * strips(size.rows); e += DISTORT_THREADS) {
    int col = e % size.cols, first = e / size.cols * STRIP;
    float2 sum[STRIP];
    smooth(sum, across + col, pitch, size.rows, first, window, its.R);
    images.put(b, first, col, sum, its, move);
  }
}

// Computes noise (n, pixels), the displacements of the images with those numbers, before smoothing. Each thread has 4
// pixels.
__device__ inline void distort_noise(float2 *noise, const int *__restrict__ numbers, int n, ImageSize size,
                                     const Distorting &its) {
  int quads = (size.pixels() + 3) / 4;
  unsigned e = blockIdx.x * DISTORT_THREADS + threadIdx.x;
  int k = e / quads, quad = e % quads;
  if (k < n) {
    put_noise(noise + size_t(k) * size.pixels(), draw(its, NOISE + quad, numbers[k]), 4 * quad, size.cols, size);
  }
}

// Smooths `lines` rows of displacements. Each thread has a strip.
__device__ inline void distort_across(float2 *across, const float2 *noise, int lines, int cols, const Distorting &its) {
  __shared__ float window[MOST_WEIGHTS + STRIP];
  for (int i = threadIdx.x; i < its.R + STRIP; i += DISTORT_THREADS) {
    window[i] = its.window[i];
  }
  __syncthreads();
  unsigned e = blockIdx.x * DISTORT_THREADS + threadIdx.x;
  int line = e / strips(cols), first = e % strips(cols) * STRIP;
  if (line < lines) {
    float2 sum[STRIP];
    size_t begin = size_t(line) * cols;
    smooth(sum, noise + begin, 1, cols, first, window, its.R);
#pragma unroll
    for (int k = 0; k < STRIP; k++) {
      if (first + k < cols) {
        across[begin + first + k] = sum[k];
      }
    }
  }
}

// Distorts images of any size, by displacements (n, pixels) that are smoothed across and not yet down, or by none if
// `across` is null. `blocks` blocks have an image, and each of their threads a strip of a column.
__device__ inline void distort_images(const DistortedImages &images, const float2 *__restrict__ across, int blocks,
                                      const Distorting &its) {
  __shared__ float window[MOST_WEIGHTS + STRIP];
  __shared__ unsigned words[DRAWS];
  __shared__ Move move;
  ImageSize size = images.size;
  int b = blockIdx.x / blocks, e = blockIdx.x % blocks * DISTORT_THREADS + threadIdx.x;

  if (threadIdx.x < DRAWS / 4) {
    put_words(words + 4 * threadIdx.x, draw(its, threadIdx.x, images.numbers[b]));
  }
  for (int i = threadIdx.x; across != nullptr && i < its.R + STRIP; i += DISTORT_THREADS) {
    window[i] = its.window[i];
  }
  __syncthreads();
  if (threadIdx.x == DISTORT_THREADS - 1) {  // this thread is in another warp than those that have a column in any case
    move = move_of(words, its, size);
  }
  int col = e % size.cols, first = e / size.cols * STRIP;
  float2 sum[STRIP] = {};
  if (across != nullptr && first < size.rows) {
    smooth(sum, across + size_t(b) * size.pixels() + col, size.cols, size.rows, first, window, its.R);
  }
  __syncthreads();
  if (first < size.rows) {
    images.put(b, first, col, sum, its, move);
  }
}

}  // namespace op
