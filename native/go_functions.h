// SPDX-License-Identifier: Apache-2.0
// Where the functions of a Go program are: by its symbols, or, where it is stripped, by the table with which the
// runtime finds functions itself (.gopclntab; debug/gosym and cmd/link/internal/ld/pcln.go in Go's source).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace aftertrace {

class ElfImage;

// Addresses of the functions of these names, as in `runtime.newproc1`. The table is read in the form that it has since Go 1.18.
std::map<std::string, uint64_t> goFunctions(const ElfImage &image, const std::vector<std::string> &names);

// The same from the table alone.
std::map<std::string, uint64_t> goTableFunctions(const ElfImage &image,
                                                 const std::vector<std::string> &names);

}  // namespace aftertrace
