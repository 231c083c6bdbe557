// SPDX-License-Identifier: Apache-2.0
// One column of one row group as Parquet pages: a dictionary where that is smaller, then one data page.
// https://github.com/apache/parquet-format#column-chunks
#pragma once

#include <optional>
#include <tuple>
#include <vector>

#include "compressor.h"
#include "row_group.h"

namespace aftertrace {

// Numbers of the format. https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
enum class PageEncoding : int32_t { plain = 0, rle = 3, delta = 5, rleDictionary = 8 };
enum class Codec : int32_t { none = 0, zstd = 6 };

// What the footer says of a chunk.
struct ChunkInfo {
  std::vector<PageEncoding> encodings;
  Codec codec = Codec::none;
  uint64_t uncompressed = 0;  // pages with their headers
  uint64_t compressed = 0;
  uint64_t dataPage = 0;  // place in the file
  std::optional<uint64_t> dictionaryPage;
  uint64_t nulls = 0;
  // As PLAIN; none where they would be long or tell nothing.
  std::optional<Bytes> least;
  std::optional<Bytes> greatest;
};

class ChunkWriter {
 public:
  explicit ChunkWriter(SegmentOutput &out) : out_(out) {}

  // Encodes the column's values in `order` and writes its pages.
  ChunkInfo write(const Column &column, const RowGroup &group, const RowOrder &order);

 private:
  // Pages before compression. Without a dictionary page its bytes are empty.
  struct Pages {
    Bytes dictionary;
    std::size_t entries = 0;
    Bytes data;
    PageEncoding encoding = PageEncoding::plain;
  };
  // The same as they are written.
  struct Sealed {
    Bytes dictionary;
    Bytes data;
    Codec codec = Codec::none;
    std::size_t size() const { return dictionary.size() + data.size(); }
  };

  ChunkInfo writeEmpty(const Column &column, std::size_t rows);
  template <typename T>
  ChunkInfo writeNumbers(const Column &column, const std::vector<T> &values);
  template <typename T>
  ChunkInfo writeConstant(T value, std::size_t rows);
  template <typename T>
  bool addDictionaries(const std::vector<T> &values, std::vector<Pages> &candidates);
  ChunkInfo writeTexts(const Column &column, const std::vector<std::string_view> &captured);
  ChunkInfo writePayloads(const Column &column, const std::vector<std::string_view> &values);
  ChunkInfo writeSmallest(std::size_t rows, const std::vector<Pages> &candidates);
  std::size_t chooseSmallest(const std::vector<Pages> &candidates);
  Sealed seal(const Pages &pages);
  void writePage(ChunkInfo &info, bool isDictionary, std::size_t values, PageEncoding encoding,
                 std::size_t uncompressed, const Bytes &body);

  // Fills values32_ or values64_ with a column of numbers of type T in `order`.
  template <typename T>
  const std::vector<uint32_t> &ordered32(int source, const RowGroup &group, const RowOrder &order);
  const std::vector<uint64_t> &ordered64(int source, const RowGroup &group, const RowOrder &order);
  const std::vector<std::string_view> &orderedTexts(int source, const RowGroup &group, const RowOrder &order);

  SegmentOutput &out_;
  Compressor compressor_;
  // Kept from column to column, so that their memory is.
  std::vector<uint32_t> values32_, indices_;
  std::vector<uint64_t> values64_;
  std::tuple<std::vector<uint8_t>, std::vector<uint16_t>, std::vector<uint32_t>, std::vector<uint64_t>>
      captured_;
  std::vector<std::string_view> texts_, capturedTexts_;
  Bytes body_;
};

}  // namespace aftertrace
