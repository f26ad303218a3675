// One digit: bytes, which AVX2 multiplies and adds twice as fast as 16-bit integers. The scan
// bounds the score of every center; those that may be the nearest get the score of 16-bit integers.
//
// A row is scale * q with q in [-90, 90], kept as q + 90 without a sign, and so is a center, with
// its sign: the sum of two products fits 16 bits, and both are equally fine. Columns come in
// pieces; of a piece, the first two of each four columns add up in one 16-bit sum and the last two
// in another. The scales keep the lengths of these halves so short that their sums fit
// (Cauchy-Schwarz), whatever wraps around on the way, and with them the 90 times the sum of a
// center's q that each starts with.

constexpr int64_t kFour = 4;  // columns of a 32-bit lane
constexpr int kLargestByte = 90;
static_assert(2 * (2 * kLargestByte) * kLargestByte < 32768);

constexpr int64_t kMostByteColumns = 2048;  // with more, two digits come first

constexpr int64_t kPiece = 128;  // columns
// The length of a half before it is rounded, which adds at most sqrt(kPiece / 2) / 2.
constexpr float kLongestHalf = 176;
static_assert((kLongestHalf + 4) * (kLongestHalf + 4) < 32768);

constexpr int kScanRows = 16;        // rows whose scores of a chunk stay in the cache
constexpr int kMostCandidates = 64;  // of a row and chunk; with more it is left in doubt

int64_t n_pieces(int64_t n_cols) {
  return (padded(n_cols) + kPiece - 1) / kPiece;
}

// Packed rows: scales and 16-bit integers as for two digits, then these, then the bytes.
struct ByteRows {
  float scale[kBlockRows];
  float rest[kBlockRows];    // no less than |y - y'|
  float spread[kBlockRows];  // a score is off by at most this times the length of the center
  alignas(64) float least[kScanRows * kChunk];  // room for the scan
};
int64_t byte_row_bytes(int64_t n_cols) {
  return int64_t(sizeof(ByteRows)) + kBlockRows * padded(n_cols);
}

// Packed centers: for each kGroup of them these numbers; for each piece what the 16-bit sums start
// with and the bytes, four columns of all at a time; and the 16-bit integers, one by one.
struct ByteGroup {
  float scale[kGroup], length[kGroup], short_scale[kGroup];
  float longest;  // of the lengths
  float lean;     // what the bytes leave over of a center, at most, as a share of its length
  float fill[kGroup - 2];
};
int64_t byte_block(int64_t n_cols) {
  return n_pieces(n_cols) * kGroup * kFour + kGroup * padded(n_cols);
}
int64_t byte_group_bytes(int64_t n_cols) {
  return int64_t(sizeof(ByteGroup)) + byte_block(n_cols) +
         kGroup * padded(n_cols) * int64_t(sizeof(int16_t));
}

// ---------------------------------------------------------------- packing

float scale_of_bytes(float longest_half, float largest) {
  const float by_length = longest_half / kLongestHalf, by_largest = largest / kLargestByte;
  return by_length > by_largest ? by_length : by_largest;
}

// The bytes of one center, and what they leave over, squared.
template <class T>
double pack_center_bytes(const T* center, int64_t n_cols, float largest, int64_t lane,
                         ByteGroup& head, char* block) {
  float longest = 0;
  for (int64_t first = 0; first < n_cols; first += kPiece) {
    double half[2] = {};
    const int64_t last = first + kPiece < n_cols ? first + kPiece : n_cols;
    for (int64_t t = first; t < last; ++t) half[t / 2 % 2] += double(center[t]) * double(center[t]);
    const float length = float(__builtin_sqrt(half[0] > half[1] ? half[0] : half[1]));
    longest = length > longest ? length : longest;
  }
  float scale = scale_of_bytes(longest, largest);
  const float inverse = inverse_of(scale);
  head.scale[lane] = scale;
  double rest = 0;
  for (int64_t first = 0; first < n_cols; first += kPiece) {
    int16_t* start = reinterpret_cast<int16_t*>(block);
    int8_t* bytes = reinterpret_cast<int8_t*>(block) + kGroup * kFour;
    const int64_t width = n_cols - first < kPiece ? n_cols - first : kPiece;
    int32_t sum[2] = {};
    for (int64_t t = 0; t < width; ++t) {
      const float scaled = float(center[first + t]) * inverse;
      const int32_t whole = __builtin_fabsf(scaled) <= kLargestByte + 1
                                ? int32_t(scaled + (scaled < 0 ? -0.5f : 0.5f))
                                : 0;
      bytes[(t / kFour * kGroup + lane) * kFour + t % kFour] = int8_t(whole);
      sum[t / 2 % 2] += whole;
      const double over = double(center[first + t]) - double(scale) * double(whole);
      rest += over * over;
    }
    for (int h = 0; h < 2; ++h) start[lane * 2 + h] = int16_t(-kLargestByte * sum[h]);
    block += kGroup * kFour + kGroup * padded(width);
  }
  return rest;
}

void set_length(float length, double rest, int64_t lane, ByteGroup& head) {
  length = length * (1 + 0x1p-20f) + 0x1p-100f;
  const float lean = float(rest) / length * (1 + 0x1p-20f);
  head.length[lane] = length;
  head.longest = length > head.longest ? length : head.longest;
  head.lean = lean > head.lean ? lean : head.lean;
}

// ---------------------------------------------------------------- scan

// 16-bit sums of kRows rows and kGroup centers over one piece.
CENTROIDS_INLINE void add_piece(const uint8_t* rows, int64_t stride, int64_t n_cols,
                                const char* block, __m256i (&sum)[kRows][kVectors]) {
  const __m256i* q = reinterpret_cast<const __m256i*>(block);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm256_load_si256(q + v);
  q += kVectors;
  // GCC unrolls no loop by itself.
  for (int64_t first = 0; first < n_cols; first += kColumns)
#pragma GCC unroll 4
    for (int64_t t = first; t < first + kColumns; t += kFour, q += kVectors) {
      __m256i c[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) c[v] = in_register(_mm256_load_si256(q + v));
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        int32_t four;
        __builtin_memcpy(&four, rows + r * stride + t, sizeof four);
        const __m256i x = _mm256_set1_epi32(four);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v)
          add_words_in_place(sum[r][v], _mm256_maddubs_epi16(x, c[v]));
      }
    }
}

// Of the rows that are scanned, the least upper bound of a score so far, per lane of a group.
struct Scan {
  __m256 most[kScanRows][kVectors];
};

// Bounds on the scores of kRows rows, from row `row` of the scan, and the centers of a group.
CENTROIDS_INLINE void bound_scores(const uint8_t* rows, int64_t n_cols, const ByteGroup& head,
                                   const float* half_norms, const float* scales,
                                   const float* spreads, int row, float* least, Scan& scan) {
  const int64_t stride = padded(n_cols);
  const char* block = reinterpret_cast<const char*>(&head + 1);
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sum[kRows][kVectors], total[kRows][kVectors] = {};
  for (int64_t first = 0; first < stride; first += kPiece) {
    const int64_t width = stride - first < kPiece ? stride - first : kPiece;
    add_piece(rows + first, stride, width, block, sum);
    block += kGroup * kFour + kGroup * width;
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v)
        total[r][v] = _mm256_add_epi32(total[r][v], _mm256_madd_epi16(sum[r][v], ones));
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const __m256 scale = _mm256_load_ps(head.scale + v * kLanes);
    const __m256 length = _mm256_load_ps(head.length + v * kLanes);
    const __m256 half_norm = _mm256_load_ps(half_norms + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const __m256 product = _mm256_mul_ps(_mm256_cvtepi32_ps(total[r][v]), scale);
      const __m256 score = _mm256_fmadd_ps(product, _mm256_set1_ps(scales[r]), half_norm);
      const __m256 spread = _mm256_set1_ps(spreads[r]);
      _mm256_store_ps(least + r * kGroup + v * kLanes, _mm256_fnmadd_ps(spread, length, score));
      __m256& most = scan.most[row + r][v];
      most = _mm256_min_ps(_mm256_fmadd_ps(spread, length, score), most);
    }
  }
}

// The score in 16-bit integers of one row and one center.
CENTROIDS_INLINE int32_t short_product(const int16_t* row, const int16_t* center, int64_t n_cols) {
  const auto product = [&](int64_t t) {
    return _mm256_madd_epi16(_mm256_load_si256(reinterpret_cast<const __m256i*>(row + t)),
                             _mm256_load_si256(reinterpret_cast<const __m256i*>(center + t)));
  };
  __m256i sum = _mm256_setzero_si256(), other = sum;
  int64_t t = 0;
#pragma GCC unroll 2
  for (; t + 2 * kColumns <= n_cols; t += 2 * kColumns) {
    sum = _mm256_add_epi32(sum, product(t));
    other = _mm256_add_epi32(other, product(t + kColumns));
  }
  if (t < n_cols) sum = _mm256_add_epi32(sum, product(t));
  sum = _mm256_add_epi32(sum, other);
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1)));
}

// The least of the upper bounds, or the second least of those of different lanes.
float least_of(const __m256 (&most)[kVectors], bool second) {
  const __m256 low = _mm256_min_ps(most[0], most[1]);
  if (!second) return lane_min(low);
  alignas(32) float lanes[kGroup];
  for (int v = 0; v < kVectors; ++v) _mm256_store_ps(lanes + v * kLanes, most[v]);
  float first = kFilterFar, next = kFilterFar;
  for (const float lane : lanes) {
    next = lane < first ? first : lane < next ? lane : next;
    first = lane < first ? lane : first;
  }
  return next;
}

// The spreads of the rows: |y.c - y'.c'| <= |c| (|y - y'| + |y'| |c - c'| / |c|), and what float32
// rounds.
void set_spreads(const FilterRows& rows, int n_rows, const FilterCenters& centers,
                 ByteRows& bytes) {
  const char* group = static_cast<const char*>(centers.packed);
  float lean = 0, longest = 0;
  for (int64_t j = 0; j < centers.n_lanes; j += kGroup, group += byte_group_bytes(centers.n_cols)) {
    const ByteGroup& head = *reinterpret_cast<const ByteGroup*>(group);
    lean = head.lean > lean ? head.lean : lean;
    longest = head.longest > longest ? head.longest : longest;
  }
  const float grow = 1.001f + float(centers.n_cols) * 0x1p-22f;
  for (int i = 0; i < n_rows; ++i) {
    const float norm = __builtin_sqrtf(rows.norm[i]), rest = bytes.rest[i];
    bytes.spread[i] =
        grow * (rest + (norm + rest) * lean + 0x1p-20f * (longest / 2 + norm)) + 0x1p-70f;
  }
  for (int i = n_rows; i % kRows; ++i) bytes.spread[i] = 0;
}

// Centers of a chunk whose lower bound lets them be the nearest to a row, as far as there is room;
// listing writes a whole vector.
struct Candidates {
  int n = 0;
  alignas(32) float least[kMostCandidates + kLanes];
  int32_t label[kMostCandidates + kLanes];

  // Adds the set bits of some lanes.
  CENTROIDS_INLINE void add(unsigned bits, const float* scores, int32_t first_label) {
    const int end = n < kMostCandidates ? n : kMostCandidates;
    const __m256i lanes = set_bits(bits);
    _mm256_storeu_ps(least + end, _mm256_permutevar8x32_ps(_mm256_load_ps(scores), lanes));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(label + end),
                        _mm256_add_epi32(lanes, _mm256_set1_epi32(first_label)));
    n += __builtin_popcount(bits);
  }
  CENTROIDS_INLINE void finish() {
    if (n <= kMostCandidates) _mm256_storeu_ps(least + n, _mm256_set1_ps(__builtin_inff()));
  }

  // The least bound above another, infinity if there is none, and which candidates have it. Reads
  // all instead of taking candidates away: a vector would wait for the write to one of its lanes.
  CENTROIDS_INLINE float next_bound(float above, uint64_t& which) const {
    const __m256 floor = _mm256_set1_ps(above), none = _mm256_set1_ps(__builtin_inff());
    __m256 low = none;
    for (int l = 0; l < n; l += kLanes) {
      const __m256 bound = _mm256_load_ps(least + l);
      low = _mm256_min_ps(low,
                          _mm256_blendv_ps(none, bound, _mm256_cmp_ps(bound, floor, _CMP_GT_OQ)));
    }
    const float next = lane_min(low);
    which = 0;
    for (int l = 0; l < n; l += kLanes) {
      const __m256 has = _mm256_cmp_ps(_mm256_load_ps(least + l), _mm256_set1_ps(next), _CMP_EQ_OQ);
      which |= uint64_t(unsigned(_mm256_movemask_ps(has))) << l;
    }
    return next;
  }
};

// Groups of a chunk in which some center scores at most so much.
struct FoundGroups {
  int n = 0;
  uint16_t number[kChunk / kGroup];
};

// Of all rows of the scan, in the order in which their scores lie in memory.
void find_groups(const float* least, int n_rows, int64_t n_groups, const float* most,
                 FoundGroups* out) {
  for (int64_t g = 0; g < n_groups; ++g, least += kScanRows * kGroup)
    for (int i = 0; i < n_rows; ++i) {
      const __m256 lower = _mm256_min_ps(_mm256_load_ps(least + i * kGroup),
                                         _mm256_load_ps(least + i * kGroup + kLanes));
      const __m256 is_found = _mm256_cmp_ps(lower, _mm256_set1_ps(most[i]), _CMP_LE_OQ);
      // Written in any case: what is found is hard to guess for the processor.
      out[i].number[out[i].n] = uint16_t(g);
      out[i].n += _mm256_movemask_ps(is_found) != 0;
    }
}

// The centers of the groups found for row `row` of the scan that score at most `most`.
void list_candidates(const float* least, int row, const FoundGroups& found, float most,
                     Candidates& out) {
  const __m256 limit = _mm256_set1_ps(most);
  for (int i = 0; i < found.n; ++i) {
    const int32_t g = found.number[i];
    const float* scores = least + (g * kScanRows + row) * kGroup;
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v, scores += kLanes) {
      const __m256 is_found = _mm256_cmp_ps(_mm256_load_ps(scores), limit, _CMP_LE_OQ);
      out.add(unsigned(_mm256_movemask_ps(is_found)), scores, g * kGroup + v * kLanes);
    }
  }
  out.finish();
}

// Scores the candidates of row i, those with the least bounds first, until no other can be nearest.
void score_candidates(const FilterRows& rows, int i, const FilterCenters& centers, int64_t chunk,
                      float most, const Candidates& candidates, FilterNearest& out) {
  const int64_t stride = padded(centers.n_cols), group_bytes = byte_group_bytes(centers.n_cols);
  const float* scales = static_cast<const float*>(rows.packed);
  const int16_t* row = reinterpret_cast<const int16_t*>(scales + kBlockRows) + i * stride;
  const int wanted = centers.with_second ? 1 : 0;
  float bound = -__builtin_inff();
  for (;;) {
    uint64_t which;
    bound = candidates.next_bound(bound, which);
    if (bound == __builtin_inff()) break;
    if (bound > most) {
      most = bound;
      break;
    }
    for (; which; which &= which - 1) {
      const int64_t j = chunk + candidates.label[__builtin_ctzll(which)];
      const char* group = static_cast<const char*>(centers.packed) + j / kGroup * group_bytes;
      const ByteGroup& head = *reinterpret_cast<const ByteGroup*>(group);
      const int16_t* center =
          reinterpret_cast<const int16_t*>(group + sizeof(ByteGroup) + byte_block(centers.n_cols)) +
          j % kGroup * stride;
      const float scale = head.short_scale[j % kGroup] * scales[i];
      list(__builtin_fmaf(float(short_product(row, center, stride)), scale, centers.half_norms[j]),
           int32_t(j), i, out);
    }
    const float limit = out.score[wanted][i] + rows.margin[i];
    most = limit < most ? limit : most;
  }
  out.others[i] = most < out.others[i] ? most : out.others[i];
}

void nearest_by_bytes(const FilterRows& rows, int n_rows, const FilterCenters& centers,
                      FilterNearest& out) {
  const int64_t stride = padded(centers.n_cols), group_bytes = byte_group_bytes(centers.n_cols);
  ByteRows& bytes = *reinterpret_cast<ByteRows*>(static_cast<char*>(rows.packed) +
                                                 short_row_bytes(centers.n_cols));
  const uint8_t* packed = reinterpret_cast<const uint8_t*>(&bytes + 1);
  set_spreads(rows, n_rows, centers, bytes);
  clear(n_rows, out);
  for (int first = 0; first < n_rows; first += kScanRows) {
    const int n = n_rows - first < kScanRows ? n_rows - first : kScanRows;
    Scan scan;
    for (auto& row : scan.most)
      for (__m256& most : row) most = _mm256_set1_ps(kFilterFar);
    for (int64_t chunk = 0; chunk < centers.n_lanes; chunk += kChunk) {
      const int64_t end = chunk + kChunk < centers.n_lanes ? chunk + kChunk : centers.n_lanes;
      float* least = bytes.least;
      for (int64_t j = chunk; j < end; j += kGroup, least += kScanRows * kGroup) {
        const ByteGroup& head = *reinterpret_cast<const ByteGroup*>(
            static_cast<const char*>(centers.packed) + j / kGroup * group_bytes);
        for (int row = 0; row < n; row += kRows)
          bound_scores(packed + (first + row) * stride, centers.n_cols, head,
                       centers.half_norms + j, bytes.scale + first + row,
                       bytes.spread + first + row, row, least + row * kGroup, scan);
      }
      float most[kScanRows];
      for (int i = 0; i < n; ++i)
        most[i] = least_of(scan.most[i], centers.with_second) + rows.margin[first + i];
      FoundGroups found[kScanRows];
      find_groups(bytes.least, n, (end - chunk) / kGroup, most, found);
      for (int i = 0; i < n; ++i) {
        Candidates candidates;
        list_candidates(bytes.least, i, found[i], most[i], candidates);
        if (candidates.n <= kMostCandidates)
          score_candidates(rows, first + i, centers, chunk, most[i], candidates, out);
        else
          out.others[first + i] = -kFilterFar;  // in doubt
      }
    }
  }
}
