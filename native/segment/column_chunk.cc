// SPDX-License-Identifier: Apache-2.0
#include "column_chunk.h"

#include <algorithm>
#include <deque>
#include <string>

#include "encodings.h"
#include "thrift_writer.h"
#include "utf8.h"
#include "value_index.h"

namespace aftertrace {
namespace {

// Payloads are nine tenths of what there is to compress: a level that looks further finds the heads that
// came before, at 0.2 CPU s per million events. For the numbers, little is to be found.
constexpr int kNumberLevel = 3;
constexpr int kPayloadLevel = 6;

// A longer text is no help to a reader that skips row groups.
constexpr std::size_t kLongestStatistic = 64;

// Definition levels: 1 where there is a value, in runs behind their length.
void putLevels(Bytes &out, const std::vector<std::string_view> &values) {
  std::vector<uint32_t> levels(values.size());
  for (std::size_t i = 0; i < values.size(); i++) levels[i] = values[i].empty() ? 0 : 1;
  const std::size_t at = out.size();
  put<uint32_t>(out, 0);
  putHybrid(out, levels.data(), levels.size(), 1);
  const auto length = static_cast<uint32_t>(out.size() - at - sizeof(uint32_t));
  std::memcpy(out.data() + at, &length, sizeof length);
}

void putPlain(Bytes &out, std::string_view value) {
  put(out, static_cast<uint32_t>(value.size()));
  put(out, value);
}

template <typename T>
Bytes plain(const std::vector<T> &values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <typename T, typename Compared>
void setRange(ChunkInfo &info, const std::vector<T> &values) {
  const auto less = [](T a, T b) { return static_cast<Compared>(a) < static_cast<Compared>(b); };
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end(), less);
  put(info.least.emplace(), *least);
  put(info.greatest.emplace(), *greatest);
}

void setRange(ChunkInfo &info, const std::vector<std::string_view> &values) {
  std::optional<std::string_view> least, greatest;
  for (const std::string_view value : values) {
    if (value.empty()) continue;
    if (!least || value < *least) least = value;
    if (!greatest || value > *greatest) greatest = value;
  }
  if (!least || least->size() > kLongestStatistic || greatest->size() > kLongestStatistic) return;
  put(info.least.emplace(), *least);
  put(info.greatest.emplace(), *greatest);
}

// Indices of a dictionary page behind their width.
Bytes indexPage(const std::vector<uint32_t> &indices, int width) {
  Bytes page{static_cast<uint8_t>(width)};
  putHybrid(page, indices.data(), indices.size(), width);
  return page;
}

// The same for a dictionary of one entry: one run.
Bytes constantIndexPage(std::size_t rows) {
  Bytes page{1};
  putVarint(page, rows << 1);
  page.push_back(0);
  return page;
}

// Widths to try for a dictionary of so many entries. Some readers trip over a width of 0.
std::vector<int> indexWidths(std::size_t entries) {
  if (entries <= 1) return {1};
  const int bits = widthOf(entries - 1, Packing::bits);
  const int bytes = widthOf(entries - 1, Packing::bytes);
  return bits == bytes ? std::vector<int>{bits} : std::vector<int>{bits, bytes};
}

}  // namespace

template <typename T>
const std::vector<uint32_t> &ChunkWriter::ordered32(int source, const RowGroup &group,
                                                    const RowOrder &order) {
  std::vector<T> &captured = std::get<std::vector<T>>(captured_);
  group.numbers(source, captured);
  values32_.resize(order.size());
  for (std::size_t i = 0; i < order.size(); i++) values32_[i] = captured[order[i]];
  return values32_;
}

const std::vector<uint64_t> &ChunkWriter::ordered64(int source, const RowGroup &group,
                                                    const RowOrder &order) {
  std::vector<uint64_t> &captured = std::get<std::vector<uint64_t>>(captured_);
  group.numbers(source, captured);
  values64_.resize(order.size());
  for (std::size_t i = 0; i < order.size(); i++) values64_[i] = captured[order[i]];
  return values64_;
}

const std::vector<std::string_view> &ChunkWriter::orderedTexts(int source, const RowGroup &group,
                                                               const RowOrder &order) {
  group.texts(source, capturedTexts_);
  texts_.resize(order.size());
  for (std::size_t i = 0; i < order.size(); i++) texts_[i] = capturedTexts_[order[i]];
  return texts_;
}

ChunkInfo ChunkWriter::write(const Column &column, const RowGroup &group, const RowOrder &order) {
  if (group.isEmpty(column.source)) return writeEmpty(column, order.size());
  switch (column.type) {
    case ColumnType::uint8:
      return writeNumbers(column, ordered32<uint8_t>(column.source, group, order));
    case ColumnType::uint16:
      return writeNumbers(column, ordered32<uint16_t>(column.source, group, order));
    case ColumnType::uint32:
      return writeNumbers(column, ordered32<uint32_t>(column.source, group, order));
    case ColumnType::uint64:
    case ColumnType::int64:
      return writeNumbers(column, ordered64(column.source, group, order));
    case ColumnType::text:
      return writeTexts(column, orderedTexts(column.source, group, order));
    default:
      return writePayloads(column, orderedTexts(column.source, group, order));
  }
}

// A column of zeros, or without any bytes.
ChunkInfo ChunkWriter::writeEmpty(const Column &column, std::size_t rows) {
  switch (column.type) {
    case ColumnType::uint8:
    case ColumnType::uint16:
    case ColumnType::uint32:
      return writeConstant<uint32_t>(0, rows);
    case ColumnType::uint64:
    case ColumnType::int64:
      return writeConstant<uint64_t>(0, rows);
    case ColumnType::text:
      return writeTexts(column, std::vector<std::string_view>(rows));
    default:
      return writePayloads(column, std::vector<std::string_view>(rows));
  }
}

template <typename T>
ChunkInfo ChunkWriter::writeConstant(T value, std::size_t rows) {
  std::vector<Pages> candidates(1);
  candidates[0].dictionary = plain(std::vector<T>{value});
  candidates[0].entries = 1;
  candidates[0].encoding = PageEncoding::rleDictionary;
  candidates[0].data = constantIndexPage(rows);
  ChunkInfo info = writeSmallest(rows, candidates);
  put(info.least.emplace(), value);
  put(info.greatest.emplace(), value);
  return info;
}

template <typename T>
ChunkInfo ChunkWriter::writeNumbers(const Column &column, const std::vector<T> &values) {
  const bool isConstant = std::all_of(values.begin(), values.end(), [&](T v) { return v == values[0]; });
  if (isConstant) return writeConstant(values[0], values.size());
  std::vector<Pages> candidates;
  if (column.encoding == Encoding::dictionary) addDictionaries(values, candidates);
  if (candidates.empty() || column.encoding == Encoding::delta) {
    for (const Packing packing : {Packing::bits, Packing::bytes}) {
      Pages &pages = candidates.emplace_back();
      pages.encoding = PageEncoding::delta;
      putDeltas(pages.data, values.data(), values.size(), packing);
    }
  }
  if (column.encoding != Encoding::delta && candidates.back().encoding == PageEncoding::delta) {
    candidates.emplace_back().data = plain(values);
  }
  ChunkInfo info = writeSmallest(values.size(), candidates);
  if (column.type == ColumnType::int64) {
    setRange<T, int64_t>(info, values);
  } else {
    setRange<T, T>(info, values);
  }
  return info;
}

// Adds nothing where most values are distinct.
template <typename T>
bool ChunkWriter::addDictionaries(const std::vector<T> &values, std::vector<Pages> &candidates) {
  ValueIndex<T> index;
  indices_.resize(values.size());
  const std::size_t most = values.size() / 2 + 1;
  for (std::size_t i = 0; i < values.size(); i++) {
    indices_[i] = index.add(values[i]);
    if (index.values().size() > most) return false;
  }
  for (const int width : indexWidths(index.values().size())) {
    Pages &pages = candidates.emplace_back();
    pages.dictionary = plain(index.values());
    pages.entries = index.values().size();
    pages.encoding = PageEncoding::rleDictionary;
    pages.data = indexPage(indices_, width);
  }
  return true;
}

ChunkInfo ChunkWriter::writeTexts(const Column &column, const std::vector<std::string_view> &captured) {
  std::vector<std::string_view> values = captured;
  std::deque<std::string> repaired;
  for (std::string_view &value : values) {
    if (!isUtf8(value)) value = repaired.emplace_back(repairedUtf8(value));
  }
  ValueIndex<std::string_view> index;
  std::vector<uint32_t> indices;
  for (const std::string_view value : values) {
    if (!value.empty() || !column.nullable) indices.push_back(index.add(value));
  }
  Bytes levels;
  if (column.nullable) putLevels(levels, values);
  Bytes dictionary;
  for (const std::string_view value : index.values()) putPlain(dictionary, value);
  std::vector<Pages> candidates;
  if (index.values().size() <= indices.size() / 2 + 1 && !indices.empty()) {
    for (const int width : indexWidths(index.values().size())) {
      const Bytes page = indexPage(indices, width);
      Pages &pages = candidates.emplace_back();
      pages.dictionary = dictionary;
      pages.entries = index.values().size();
      pages.encoding = PageEncoding::rleDictionary;
      pages.data = levels;
      pages.data.insert(pages.data.end(), page.begin(), page.end());
    }
  } else {
    Pages &pages = candidates.emplace_back();
    pages.data = levels;
    for (const uint32_t i : indices) putPlain(pages.data, index.values()[i]);
  }
  ChunkInfo info = writeSmallest(values.size(), candidates);
  info.nulls = values.size() - indices.size();
  setRange(info, values);
  return info;
}

// One page, compressed while it is put together: it is most of a row group.
ChunkInfo ChunkWriter::writePayloads(const Column &column, const std::vector<std::string_view> &values) {
  Bytes levels;
  if (column.nullable) putLevels(levels, values);
  const auto isStored = [&](std::string_view value) { return !value.empty() || !column.nullable; };
  std::size_t size = levels.size();
  ChunkInfo info;
  for (const std::string_view value : values) {
    if (isStored(value)) size += sizeof(uint32_t) + value.size();
    else info.nulls++;
  }
  body_.clear();
  compressor_.begin(kPayloadLevel, size, body_);
  compressor_.add(levels.data(), levels.size());
  for (const std::string_view value : values) {
    if (!isStored(value)) continue;
    const auto length = static_cast<uint32_t>(value.size());
    compressor_.add(&length, sizeof length);
    compressor_.add(value.data(), value.size());
  }
  compressor_.end();
  info.codec = Codec::zstd;
  info.encodings = {PageEncoding::plain, PageEncoding::rle};
  writePage(info, false, values.size(), PageEncoding::plain, size, body_);
  return info;
}

ChunkWriter::Sealed ChunkWriter::seal(const Pages &pages) {
  Sealed sealed;
  sealed.codec = Codec::zstd;
  if (!pages.dictionary.empty()) compressor_.compress(pages.dictionary, kNumberLevel, sealed.dictionary);
  compressor_.compress(pages.data, kNumberLevel, sealed.data);
  // A frame costs a few bytes itself: more than a column of one value takes.
  if (sealed.size() < pages.dictionary.size() + pages.data.size()) return sealed;
  return {pages.dictionary, pages.data, Codec::none};
}

// Which of them compresses best: of large ones the first part tells.
std::size_t ChunkWriter::chooseSmallest(const std::vector<Pages> &candidates) {
  constexpr std::size_t kSampled = 8;
  constexpr std::size_t kLeast = 1024;
  std::size_t best = 0;
  std::size_t least = SIZE_MAX;
  for (std::size_t i = 0; candidates.size() > 1 && i < candidates.size(); i++) {
    const Pages &pages = candidates[i];
    const bool isLarge = pages.data.size() > kSampled * kLeast;
    const std::size_t sampled = isLarge ? pages.data.size() / kSampled : pages.data.size();
    const std::size_t share = isLarge ? kSampled : 1;
    const std::size_t size = compressor_.sizeOf(pages.data.data(), sampled, kNumberLevel) +
                             compressor_.sizeOf(pages.dictionary.data(), pages.dictionary.size(), kNumberLevel) / share;
    if (size >= least) continue;
    least = size;
    best = i;
  }
  return best;
}

ChunkInfo ChunkWriter::writeSmallest(std::size_t rows, const std::vector<Pages> &candidates) {
  const Pages &pages = candidates[chooseSmallest(candidates)];
  const Sealed smallest = seal(pages);
  ChunkInfo info;
  info.codec = smallest.codec;
  info.encodings = {pages.encoding, PageEncoding::rle};
  if (!pages.dictionary.empty()) {
    info.encodings.push_back(PageEncoding::plain);
    writePage(info, true, pages.entries, PageEncoding::plain, pages.dictionary.size(), smallest.dictionary);
  }
  writePage(info, false, rows, pages.encoding, pages.data.size(), smallest.data);
  return info;
}

void ChunkWriter::writePage(ChunkInfo &info, bool isDictionary, std::size_t values,
                            PageEncoding encoding, std::size_t uncompressed, const Bytes &body) {
  constexpr int32_t kDataPage = 0;
  constexpr int32_t kDictionaryPage = 2;
  constexpr int kDataHeader = 5;
  constexpr int kDictionaryHeader = 7;
  Bytes header;
  ThriftWriter thrift(header);
  thrift.i32(1, isDictionary ? kDictionaryPage : kDataPage);
  thrift.i32(2, static_cast<int32_t>(uncompressed));
  thrift.i32(3, static_cast<int32_t>(body.size()));
  thrift.beginStruct(isDictionary ? kDictionaryHeader : kDataHeader);
  thrift.i32(1, static_cast<int32_t>(values));
  thrift.i32(2, static_cast<int32_t>(encoding));
  if (!isDictionary) {
    thrift.i32(3, static_cast<int32_t>(PageEncoding::rle));  // definition levels
    thrift.i32(4, static_cast<int32_t>(PageEncoding::rle));  // repetition levels: there are none
  }
  thrift.endStruct();
  thrift.endStruct();
  if (isDictionary) info.dictionaryPage = out_.position();
  else info.dataPage = out_.position();
  info.uncompressed += header.size() + uncompressed;
  info.compressed += header.size() + body.size();
  out_.write(header);
  out_.write(body);
}

}  // namespace aftertrace
