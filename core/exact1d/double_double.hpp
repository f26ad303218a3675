// An unevaluated sum of two doubles, some 106 bits (Dekker, Numerische Mathematik 18, 1971). Plain
// arithmetic, as a fused multiply-add may be slow where this is compiled.
#pragma once

namespace centroids {

struct DoubleDouble {
  double high = 0, low = 0;
  DoubleDouble() = default;
  DoubleDouble(double value) : high(value) {}
  DoubleDouble(double h, double l) : high(h), low(l) {}
  explicit operator double() const { return high + low; }
};

inline DoubleDouble two_sum(double a, double b) {
  const double sum = a + b, part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}
inline DoubleDouble two_product(double a, double b) {
  const auto split = [](double x) {
    const double scaled = 134217729.0 * x, high = scaled - (scaled - x);  // 2^27 + 1
    return DoubleDouble(high, x - high);
  };
  const DoubleDouble x = split(a), y = split(b);
  const double product = a * b;
  return {product, ((x.high * y.high - product) + x.high * y.low + x.low * y.high) + x.low * y.low};
}
inline DoubleDouble operator-(const DoubleDouble& a) {
  return {-a.high, -a.low};
}
inline DoubleDouble operator+(const DoubleDouble& a, const DoubleDouble& b) {
  DoubleDouble sum = two_sum(a.high, b.high);
  return two_sum(sum.high, sum.low + a.low + b.low);
}
inline DoubleDouble operator-(const DoubleDouble& a, const DoubleDouble& b) {
  return a + -b;
}
inline DoubleDouble operator*(const DoubleDouble& a, const DoubleDouble& b) {
  DoubleDouble product = two_product(a.high, b.high);
  return two_sum(product.high, product.low + a.high * b.low + a.low * b.high);
}
inline DoubleDouble operator/(const DoubleDouble& a, const DoubleDouble& b) {
  const double first = a.high / b.high;
  const DoubleDouble left = a - b * DoubleDouble(first);
  return two_sum(first, (left.high + left.low) / b.high);
}

}  // namespace centroids
