// A counter-based generator: Philox 4x32 with 10 rounds (Salmon et al., "Parallel Random Numbers:
// As Easy as 1, 2, 3", SC 2011). A draw is a function of (seed, stream, counter), so no order of
// execution changes it. Version 1 of the stream; docs/decisions/0006 says what may change it.
#pragma once

#include <cstdint>

namespace centroids {

class Philox {
 public:
  Philox(uint64_t seed, uint64_t stream, uint64_t counter = 0)
      : seed_(seed), stream_(stream), counter_(counter) {}

  // A double in [0, 1) with 53 random bits.
  double uniform() { return double(next() >> 11) * 0x1.0p-53; }

  // An integer in [0, n), each equally likely (rejection of the incomplete last range).
  uint64_t below(uint64_t n) {
    const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    uint64_t value;
    do value = next();
    while (value >= limit);
    return value % n;
  }

  uint64_t next() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    uint32_t c[4] = {uint32_t(counter_), uint32_t(counter_ >> 32), uint32_t(stream_),
                     uint32_t(stream_ >> 32)};
    uint32_t k0 = uint32_t(seed_), k1 = uint32_t(seed_ >> 32);
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = uint64_t(0xD2511F53u) * c[0], p1 = uint64_t(0xCD9E8D57u) * c[2];
      const uint32_t next0 = uint32_t(p1 >> 32) ^ c[1] ^ k0, next2 = uint32_t(p0 >> 32) ^ c[3] ^ k1;
      c[1] = uint32_t(p1);
      c[3] = uint32_t(p0);
      c[0] = next0;
      c[2] = next2;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    ++counter_;
    spare_ = uint64_t(c[2]) | uint64_t(c[3]) << 32;
    has_spare_ = true;
    return uint64_t(c[0]) | uint64_t(c[1]) << 32;
  }

 private:
  uint64_t seed_, stream_, counter_, spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace centroids
