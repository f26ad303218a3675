// Bounds of the distances to the nearest centers; included by kernels.inl, which explains the
// rules.

template <class T>
void bound_distances(const T* norms, const T* score, const T* second_score, double relative_error,
                     double max_norm, float* upper, float* lower) {
  typedef float Floats __attribute__((vector_size(kLanes<T> * 4)));
  typedef float FloatsUnaligned __attribute__((vector_size(kLanes<T> * 4), aligned(4)));
  // Twice the error of a score, and whatever the few roundings below take.
  const Vec<T> doubt = splat(T(relative_error * (2 + 0x1p-18)));
  const Vec<T> m = splat(T(max_norm * (1 + 0x1p-20))), zero = {};
  for (int i = 0; i < kBlockRows; i += kLanes<T>) {
    const Vec<T> norm = load(norms + i), reach = root(norm) + m, slack = doubt * reach * reach;
    const Vec<T> near = norm + load(score + i) * T(2);
    const Vec<T> far = norm + load(second_score + i) * T(2) - slack;
    // "Greater" is false for whatever is not a number.
    const Floats above = __builtin_convertvector(root((near > zero ? near : zero) + slack), Floats);
    const Floats below = __builtin_convertvector(root(far > zero ? far : zero), Floats);
    *reinterpret_cast<FloatsUnaligned*>(upper + i) = above * kUp;
    *reinterpret_cast<FloatsUnaligned*>(lower + i) = below * kDown;
  }
}

// What the motion of a center is for each lane's label.
struct LaneMotion {
  Vec<float> own_shift, other_shift, neighbor;
};

template <class Four, int FOURS>
CENTROIDS_INLINE auto join_fours(const Four (&f)[FOURS]) {
  if constexpr (FOURS == 1) {
    return f[0];
  } else {
    const auto low = __builtin_shufflevector(f[0], f[1], 0, 1, 2, 3, 4, 5, 6, 7);
    if constexpr (FOURS == 2) {
      return low;
    } else {
      const auto high = __builtin_shufflevector(f[2], f[3], 0, 1, 2, 3, 4, 5, 6, 7);
      return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                                     15);
    }
  }
}

CENTROIDS_INLINE LaneMotion lane_motion(const CenterMotion* centers, const int32_t* labels) {
  using Four = VectorOf<float>::Four;
  constexpr int kFours = kLanes<float> / 4;
  Four own[kFours], other[kFours], neighbor[kFours];
#pragma GCC unroll 4
  for (int f = 0; f < kFours; ++f) {
    const auto center = [&](int l) {
      return *reinterpret_cast<const Four*>(centers + labels[4 * f + l]);
    };
    const Four a = center(0), b = center(1), c = center(2), d = center(3);
    const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const Four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    own[f] = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    other[f] = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    neighbor[f] = __builtin_shufflevector(__builtin_shufflevector(a, b, 2, 6, 2, 6),
                                          __builtin_shufflevector(c, d, 2, 6, 2, 6), 0, 1, 4, 5);
  }
  return {join_fours(own), join_fours(other), join_fours(neighbor)};
}

// A vector of rows; in_doubt[lane] is -1 for rows that may have another nearest center, else 0.
CENTROIDS_INLINE void advance_lanes(const Motion& motion, const int32_t* labels, float* upper,
                                    float* lower, int32_t* in_doubt) {
  using Unaligned = VectorOf<float>::Unaligned;
  const auto moved = lane_motion(motion.centers, labels);
  const Vec<float> before = *reinterpret_cast<const Unaligned*>(lower);
  const Vec<float> u = (*reinterpret_cast<const Unaligned*>(upper) + moved.own_shift) * kUp;
  const Vec<float> l = before * kDown - moved.other_shift;
  // Any other center is at least neighbor - u away (triangle inequality).
  const Vec<float> by_neighbor = moved.neighbor * kDown - u;
  const Vec<float> gap = l > by_neighbor ? l : by_neighbor;
  const Vec<float> margin = gap * gap * kDown - u * u * kUp;
  const IndexVec<float> is_settled =
      (gap > Vec<float>{}) & (margin > (u * motion.doubt_slope + motion.doubt) * kUp);
  *reinterpret_cast<Unaligned*>(upper) = u;
  *reinterpret_cast<Unaligned*>(lower) = is_settled ? l : before;
  const IndexVec<float> doubt = ~is_settled;
  __builtin_memcpy(in_doubt, &doubt, sizeof doubt);
}

int advance_bounds(const Motion& motion, const int32_t* labels, int n, float* upper, float* lower,
                   int32_t* out) {
  constexpr int kStep = kLanes<float>;
  const Motion own_motion = motion;  // no store below can change it
  alignas(64) int32_t in_doubt[kStep];
  int count = 0;
  const auto list = [&](int first, int m) {
    uint64_t any = 0;
    for (int l = 0; l < kStep; l += 2) {
      uint64_t two;
      __builtin_memcpy(&two, in_doubt + l, 8);
      any |= two;
    }
    if (any == 0) return;  // late in a fit nearly all rows are settled
    for (int l = 0; l < m; ++l) {
      out[count] = first + l;
      count -= in_doubt[l];
    }
  };
  int i = 0;
  for (; i + kStep <= n; i += kStep) {
    advance_lanes(own_motion, labels + i, upper + i, lower + i, in_doubt);
    list(i, kStep);
  }
  if (i == n) return count;
  int32_t last_labels[kStep] = {};
  float last_upper[kStep] = {}, last_lower[kStep] = {};
  const int m = n - i;
  for (int l = 0; l < m; ++l) {
    last_labels[l] = labels[i + l];
    last_upper[l] = upper[i + l];
    last_lower[l] = lower[i + l];
  }
  advance_lanes(own_motion, last_labels, last_upper, last_lower, in_doubt);
  for (int l = 0; l < m; ++l) {
    upper[i + l] = last_upper[l];
    lower[i + l] = last_lower[l];
  }
  list(i, m);
  return count;
}
