// SPDX-License-Identifier: Apache-2.0
// Parquet's encodings of whole numbers.
// https://github.com/apache/parquet-format/blob/master/Encodings.md
#pragma once

#include "bytes.h"

namespace aftertrace {

// Widths of packed numbers. Rounded up to whole bytes they take more room, but where the same
// numbers come again the compressor behind can see it.
enum class Packing { bits, bytes };

// Bits that the greatest of the values needs, rounded up as `packing` says.
int widthOf(uint64_t greatest, Packing packing);

// The hybrid of runs and packed numbers: definition levels, indices of a dictionary.
void putHybrid(Bytes &out, const uint32_t *values, std::size_t count, int width);

// DELTA_BINARY_PACKED of INT32 (T = uint32_t) or INT64 (T = uint64_t), at least one value.
template <typename T>
void putDeltas(Bytes &out, const T *values, std::size_t count, Packing packing);

}  // namespace aftertrace
