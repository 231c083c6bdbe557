// SPDX-License-Identifier: Apache-2.0
// An open segment (Arrow IPC stream) as a closed one (Parquet), in memory for one row group.
#pragma once

#include <atomic>

#include "parquet_footer.h"

namespace aftertrace {

struct EncodeOptions {
  int input;
  int output;
  std::optional<Envelope> inputEnvelope;
  std::optional<Envelope> outputEnvelope;
  uint64_t dataStart;  // end of the schema message
  std::vector<ColumnType> inputTypes;
  std::vector<Column> columns;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string createdBy;
};

struct EncodeResult {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t tornBytes = 0;  // behind the last whole batch
  std::array<uint8_t, 32> sha256{};
};

// Ends at the first batch that is not whole; one that is damaged with others behind it is an error.
// @throws IoError, DamagedSegment, Cancelled
EncodeResult encodeSegment(const EncodeOptions &options, const std::atomic<bool> &cancelled);

}  // namespace aftertrace
