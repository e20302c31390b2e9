/* The peer of bench/kernels.mjs in C: what a core does with the widest vectors that the compiler is told of.
 *
 *   cc -O3 -march=native -ffast-math -o native kernels_native.c && ./native COUNT
 *
 * Reads names of work from stdin, one a line, and prints the seconds of processor time that each took. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

static float *x, *scales;
static uint8_t *codes;
static size_t count;
static volatile float sink;

static void extremes(void) {
  float low = x[0], high = x[0];
  for (size_t i = 0; i < count; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  sink = low + high;
}

static void quantize8(void) {
  const float inverse = 1 / 0.03f;
  int8_t *out = (int8_t *)codes;
  for (size_t i = 0; i < count; i++) {
    float v = x[i] * inverse;
    v = v < -127 ? -127 : v > 127 ? 127 : v;
    out[i] = (int8_t)__builtin_rintf(v);
  }
}

/* Blocks of 32: scale from the value of greatest magnitude, codes of 4 bits around 8, two a byte. */
static void pack4(void) {
  for (size_t b = 0; b < count / 32; b++) {
    const float *v = x + 32 * b;
    uint8_t *out = codes + 16 * b;
#if defined(__AVX2__)
    const __m256 a[4] = {_mm256_loadu_ps(v), _mm256_loadu_ps(v + 8), _mm256_loadu_ps(v + 16), _mm256_loadu_ps(v + 24)};
    const __m256 high = _mm256_max_ps(_mm256_max_ps(a[0], a[1]), _mm256_max_ps(a[2], a[3]));
    const __m256 low = _mm256_min_ps(_mm256_min_ps(a[0], a[1]), _mm256_min_ps(a[2], a[3]));
    __m128 h = _mm_max_ps(_mm256_castps256_ps128(high), _mm256_extractf128_ps(high, 1));
    __m128 l = _mm_min_ps(_mm256_castps256_ps128(low), _mm256_extractf128_ps(low, 1));
    h = _mm_max_ps(h, _mm_movehl_ps(h, h));
    l = _mm_min_ps(l, _mm_movehl_ps(l, l));
    h = _mm_max_ss(h, _mm_movehdup_ps(h));
    l = _mm_min_ss(l, _mm_movehdup_ps(l));
    const float most = _mm_cvtss_f32(h), least = _mm_cvtss_f32(l);
    const float scale = (most > -least ? most : least) / -8;
    scales[b] = scale;
    const __m256 inverse = _mm256_set1_ps(scale == 0 ? 0 : 1 / scale), middle = _mm256_set1_ps(8.5f);
    __m256i q[4];
    for (int j = 0; j < 4; j++) q[j] = _mm256_cvttps_epi32(_mm256_add_ps(_mm256_mul_ps(a[j], inverse), middle));
    __m256i bytes = _mm256_packus_epi16(_mm256_packus_epi32(q[0], q[1]), _mm256_packus_epi32(q[2], q[3]));
    bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    bytes = _mm256_min_epu8(bytes, _mm256_set1_epi8(15));
    const __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi16(0x1001));
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi16(pairs, pairs), 0x08);
    _mm_storeu_si128((__m128i *)out, _mm256_castsi256_si128(packed));
#else
    float most = v[0], least = v[0];
    for (int i = 0; i < 32; i++) {
      most = v[i] > most ? v[i] : most;
      least = v[i] < least ? v[i] : least;
    }
    const float scale = (most > -least ? most : least) / -8, inverse = scale == 0 ? 0 : 1 / scale;
    scales[b] = scale;
    for (int i = 0; i < 16; i++) {
      int p = (int)(v[2 * i] * inverse + 8.5f), q = (int)(v[2 * i + 1] * inverse + 8.5f);
      out[i] = (uint8_t)((p > 15 ? 15 : p) | (q > 15 ? 15 : q) << 4);
    }
#endif
  }
}

static void nearest16(void) {
  float borders[15];
  for (int k = 0; k < 15; k++) borders[k] = (k - 7) / 8.0f;
  for (size_t i = 0; i < count; i += 64)
    for (size_t j = i; j < i + 64; j++) {
      int below = 0;
      for (int k = 0; k < 15; k++) below += x[j] > borders[k];
      codes[j] = (uint8_t)below;
    }
}

int main(int argc, char **argv) {
  const struct { const char *name; void (*run)(void); } works[] = {
      {"extremes", extremes}, {"quantize8", quantize8}, {"pack4", pack4}, {"nearest16", nearest16}};
  count = argc > 1 ? strtoul(argv[1], 0, 10) / 64 * 64 : 1 << 24;
  x = aligned_alloc(64, count * sizeof(float));
  codes = aligned_alloc(64, count);
  scales = aligned_alloc(64, count / 32 * sizeof(float) + 64);
  if (!x || !codes || !scales) return 1;
  memset(codes, 0, count);
  memset(scales, 0, count / 32 * sizeof(float));
  for (size_t i = 0; i < count; i++) x[i] = (float)((i * 2654435761u) >> 8 & 0xffff) / 32768 - 1;
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    double seconds = -1;
    for (size_t w = 0; w < sizeof works / sizeof *works; w++) {
      if (strcmp(line, works[w].name)) continue;
      struct timespec a, b;
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
      works[w].run();
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
      seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
    }
    printf("%.9f\n", seconds);
    fflush(stdout);
  }
  return 0;
}
