// Rows fetched from memory while others are computed with; included by kernels.inl and by the
// filters, which include prefetch.hpp. Otherwise reading rows and multiplying them take turns, and
// memory idles meanwhile.

// Into the second cache: the first is for what is computed with.
CENTROIDS_INLINE void fetch(const char* p, int64_t n_bytes) {
  prefetch_all<kSecondCache>(p, n_bytes);
}

CENTROIDS_INLINE const char* row_of(const NextRows& next, int i) {
  return static_cast<const char*>(next.base) +
         int64_t(next.listed ? next.listed[i] : i) * next.row_bytes;
}

// One of the next rows, if there are so many.
CENTROIDS_INLINE void fetch_row(const NextRows& next, int i) {
  if (i >= next.n) return;
  fetch(row_of(next, i), next.row_bytes);
}

// Some of them, which should be few lines: the processor waits for more than it can fetch at once.
CENTROIDS_INLINE void fetch_rows(const NextRows& next, int begin, int end) {
  if (end > next.n) end = next.n;
  if (begin >= end) return;
  if (next.listed)
    for (int i = begin; i < end; ++i) fetch_row(next, i);
  else
    fetch(row_of(next, begin), (end - begin) * next.row_bytes);
}

// All of them, some lines at each of so many steps.
class Ahead {
 public:
  CENTROIDS_INLINE Ahead(const NextRows& next, int64_t n_steps) : next_(next) {
    // The rows that are computed with shall stay in the second cache.
    constexpr int64_t kMostBytes = 256 << 10;
    const int64_t fit = kMostBytes / (next.row_bytes > 0 ? next.row_bytes : 1) + 1;
    if (fit < next_.n) next_.n = int(fit);
    if (!next_.listed) {  // one long row
      next_.row_bytes *= next_.n;
      next_.n = next_.n > 0;
    }
    const int64_t n_lines = next_.n * (next_.row_bytes / kLineBytes + 1);
    lines_at_once_ = n_steps > 0 ? (n_lines + n_steps - 1) / n_steps : 0;
  }

  CENTROIDS_INLINE void step() {
    for (int64_t line = 0; line < lines_at_once_; ++line, at_ += kLineBytes) {
      if (at_ >= end_) {
        if (row_ >= next_.n) return;
        at_ = row_of(next_, row_++);
        end_ = at_ + next_.row_bytes;
      }
      prefetch<kSecondCache>(at_, 1);
    }
  }

 private:
  NextRows next_;
  int64_t lines_at_once_;
  int row_ = 0;
  const char *at_ = nullptr, *end_ = nullptr;
};
