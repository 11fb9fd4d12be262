// Random numbers as a function of a counter and a key alone, those of Philox4x32-10: Salmon, Moraes, Dror, Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

namespace op {

struct Block {
  unsigned word[4];
};

__device__ inline Block philox(Block c, unsigned k0, unsigned k1) {
  for (int round = 0; round < 10; round++) {
    unsigned high0 = __umulhi(0xD2511F53, c.word[0]), low0 = 0xD2511F53 * c.word[0];
    unsigned high1 = __umulhi(0xCD9E8D57, c.word[2]), low1 = 0xCD9E8D57 * c.word[2];
    c = {high1 ^ c.word[1] ^ k0, low1, high0 ^ c.word[3] ^ k1, low0};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

}  // namespace op
