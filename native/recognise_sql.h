// SPDX-License-Identifier: Apache-2.0
// PostgreSQL and MySQL. Used by the recogniser only.
#pragma once

#include "turn_reader.h"

namespace aftertrace {

// The operation of a request, '' if it is none; the first may be told from any connection.
bool recognisePostgresql(const TurnReader &reader, std::size_t moved, bool known, std::string &operation);
bool recogniseMysql(const TurnReader &reader, std::size_t moved, bool known, std::string &operation);

}  // namespace aftertrace
