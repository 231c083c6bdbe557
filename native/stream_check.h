// SPDX-License-Identifier: Apache-2.0
// Finds what is missing in a recording from the recording itself: holes in the sequence numbers of
// a connection, traffic of sockets that were never described, heads cut by the snap length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "batch.h"

namespace aftertrace {

// Bytes of one connection that passed unrecorded.
struct StreamGap {
  uint64_t connection = 0;  // 0: of connections that had no room in the list
  uint64_t holes = 0;
  uint64_t bytes = 0;
  int64_t from = 0;  // time_ns of the first and the last event behind a hole
  int64_t to = 0;
};

class StreamCheck {
 public:
  // Looks at the rows of a batch from `first` on.
  void look(const Batch &batch, std::size_t first);
  // The end of one pass over the ring. Holes that were there at the end of the pass before count now:
  // processors overtake each other, so that what looks missing may be the next record.
  void endPass();
  // Counts those of this pass as well: nothing comes any more.
  void finish();

  // The gaps found since the last call.
  std::vector<StreamGap> takeGaps();
  uint64_t cutHeads() const { return cutHeads_; }
  uint64_t undescribed() const { return undescribed_; }

 private:
  struct Stream {
    uint32_t next = 0;  // sequence number of the next byte
    uint32_t holeFrom = 0;
    uint32_t holeTo = 0;  // holeFrom: no hole
    bool known = false;
  };
  struct Connection {
    uint64_t cookie = 0;  // 0: free
    uint32_t gap = 0;       // its place in gaps_, if it was given in this round
    uint32_t gapRound = 0;
    bool described = false;
    Stream streams[2];
  };
  struct Open {
    uint64_t cookie;
    int direction;
    int64_t time;
  };

  void lookAtIo(const Batch &batch, std::size_t row);
  void describe(const Batch &batch, std::size_t row);
  void move(Connection &connection, int direction, uint32_t sequence, uint32_t bytes, int64_t time);
  void settle(const Open &open);
  void count(Connection &connection, Stream &stream, int64_t time);
  StreamGap &gapOf(Connection &connection, int64_t time);
  Connection *find(uint64_t cookie);
  Connection *findOrAdd(uint64_t cookie);
  void forget(uint64_t cookie, int64_t time);
  void grow();
  std::size_t slotOf(uint64_t cookie) const;

  // Open addressing with linear probing; a power of two, at most half full.
  std::vector<Connection> table_;
  std::size_t used_ = 0;
  std::vector<Open> open_;
  std::vector<Open> openBefore_;
  std::vector<StreamGap> gaps_;
  uint32_t round_ = 1;
  uint64_t cutHeads_ = 0;
  uint64_t undescribed_ = 0;
};

}  // namespace aftertrace
