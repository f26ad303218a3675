// The numbers of the set bits of a byte: to write the chosen of eight without asking for each.
// Included by kernels.inl and by the filter in 16-bit integers.

struct SetBits {
  uint8_t numbers[256][8];  // ascending, then zeros
};
constexpr SetBits list_set_bits() {
  SetBits table = {};
  for (int bits = 0; bits < 256; ++bits)
    for (int bit = 0, n = 0; bit < 8; ++bit)
      if (bits >> bit & 1) table.numbers[bits][n++] = uint8_t(bit);
  return table;
}
constexpr SetBits kSetBits = list_set_bits();

#if defined(__AVX2__)
CENTROIDS_INLINE __m256i set_bits(unsigned bits) {
  return _mm256_cvtepu8_epi32(
      _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kSetBits.numbers[bits])));
}
#endif
