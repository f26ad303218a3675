// What seeding does with the distances of rows to points; included by kernels.inl, which explains
// the rules.

// Bit i is that of byte i; bytes are 0 or 1.
CENTROIDS_INLINE unsigned gather_bits(const uint8_t* eight) {
  uint64_t bytes;
  __builtin_memcpy(&bytes, eight, 8);
  return unsigned(bytes * 0x0102040810204080u >> 56);
}

template <class T>
uint64_t lower(T* current, const T* tried) {
  alignas(64) uint8_t is_less[kBlockRows];
  for (int i = 0; i < kBlockRows; ++i) {
    is_less[i] = tried[i] < current[i];
    current[i] = is_less[i] ? tried[i] : current[i];
  }
  uint64_t lowered = 0;
  for (int i = 0; i < kBlockRows; i += 8) lowered |= uint64_t(gather_bits(is_less + i)) << i;
  return lowered;
}

template <class T>
void add_gains(const T* current, const T* tried, int n_points, const double* w, double rounder,
               double* sums) {
  alignas(64) double now[kBlockRows];
  for (int i = 0; i < kBlockRows; i += 8) store_eight(now + i, load_eight(current + i));
  const Eight magnet = each_part([&](int) { return splat(rounder); });
  for (int p = 0; p < n_points; ++p, tried += kBlockRows) {
    Eight sum = {};
    for (int i = 0; i < kBlockRows; i += 8) {
      Eight gain = positive(load_eight(now + i) - load_eight(tried + i));
      if (w) gain = gain * load_eight(w + i);
      sum = sum + ((gain + magnet) - magnet);
    }
    sums[p] += tree_sum(sum);
  }
}

// Bit i says that values[i] > threshold[labels[i]], for eight rows.
template <class T>
CENTROIDS_INLINE unsigned above_bits(const T* values, const int32_t* labels, const T* threshold) {
#if defined(__AVX2__)
  const auto limit = [&](int i) { return threshold[labels[i]]; };  // gather instructions are slower
  if constexpr (sizeof(T) == 4) {
    const __m256 limits = _mm256_setr_ps(limit(0), limit(1), limit(2), limit(3), limit(4), limit(5),
                                         limit(6), limit(7));
    return unsigned(_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values), limits, _CMP_GT_OQ)));
  } else {
    const auto four = [&](int i) {
      const __m256d limits = _mm256_setr_pd(limit(i), limit(i + 1), limit(i + 2), limit(i + 3));
      return unsigned(
          _mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(values + i), limits, _CMP_GT_OQ)));
    };
    return four(0) | four(4) << 4;
  }
#else
  uint8_t above[8];
  for (int i = 0; i < 8; ++i) above[i] = values[i] > threshold[labels[i]];
  return gather_bits(above);
#endif
}

// Writes first + the numbers of the set bits, and eight numbers in any case.
CENTROIDS_INLINE void list_bits(unsigned bits, int32_t first, int32_t* out) {
#if defined(__AVX2__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                      _mm256_add_epi32(set_bits(bits), _mm256_set1_epi32(first)));
#else
  for (int i = 0; i < 8; ++i) out[i] = first + kSetBits.numbers[bits][i];
#endif
}

template <class T>
int select_above(const T* values, const int32_t* labels, const T* threshold, int n, int32_t* out) {
  int count = 0, i = 0;
  for (; i + 8 <= n; i += 8) {
    const unsigned bits = above_bits(values + i, labels + i, threshold);
    list_bits(bits, i, out + count);  // count <= i: it fits
    count += __builtin_popcount(bits);
  }
  for (; i < n; ++i)
    if (values[i] > threshold[labels[i]]) out[count++] = i;
  return count;
}
