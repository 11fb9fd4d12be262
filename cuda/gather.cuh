// Gathers a batch from a set of images and normalises it in one pass, since each byte must become a float anyway.
//
// The kernel computes x (B, I) = images[row] * scale + shift and y (B) = labels[row], where row b is rows[end - B + b],
// or b itself if rows is null: images and labels are the batch then. `end` lies on the device because a captured graph
// freezes its arguments. Each block has one row.
#pragma once

namespace op {

__device__ inline bool aligned(const void *p, unsigned bytes) {
  return reinterpret_cast<unsigned long long>(p) % bytes == 0;
}

__device__ inline void gather_forward(float *x, int *y, const unsigned char *images, const unsigned char *labels,
                                      const int *rows, const int *end, int B, int I, float scale, float shift) {
  int b = blockIdx.x;
  int row = rows == nullptr ? b : rows[end[0] - B + b];
  const unsigned char *image = images + size_t(row) * I;
  float *to = x + size_t(b) * I;
  if (I % 4 == 0 && aligned(images, 4) && aligned(x, 16)) {  // each thread has 4 pixels, with one load and one store
    auto image4 = reinterpret_cast<const uchar4 *>(image);
    auto to4 = reinterpret_cast<float4 *>(to);
    for (int i = threadIdx.x; i < I / 4; i += blockDim.x) {
      uchar4 p = image4[i];
      to4[i] = make_float4(fmaf(p.x, scale, shift), fmaf(p.y, scale, shift), fmaf(p.z, scale, shift),
                           fmaf(p.w, scale, shift));
    }
  } else {
    for (int i = threadIdx.x; i < I; i += blockDim.x) {
      to[i] = fmaf(image[i], scale, shift);
    }
  }
  if (threadIdx.x == 0) {
    y[b] = labels[row];
  }
}

}  // namespace op
