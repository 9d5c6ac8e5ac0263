// A ChangeFeed over Redis (6.0 or newer), in the two ways the field uses. Both hold two connections:
//
//   tracking   one is subscribed to __redis__:invalidate; the other says CLIENT TRACKING ON REDIRECT <the first> BCAST for the prefixes
//              of our keys. Keys of other databases by the same names are told too.
//   keyspace   one is subscribed to the keyspace notifications of our keys; the other sees that the server sends them:
//              notify-keyspace-events must hold K, g, $, x and e (K and A will do). It is never set from here. That a store was emptied
//              is noticed within 500 ms, since FLUSHALL notifies nobody; with tracking it is told at once.
//
// Keys that are no profiles of the generation in use are ignored. A generation that is published (attune-replay --rebuild), a store that is
// emptied or takes another's place: all_changed().
//
// Told or not: neither a stopped server nor a half-dead connection ends a connection, and a subscription that died is no news to the other
// side. So both connections are asked every 500 ms, and told() is false from the moment an answer is overdue (by
// StoreOptions::timeout) or a connection ends. Whichever fails, both are made anew, with pauses that double up to 500 ms, for
// ever; then all_changed() comes first, and told() is true after it. Where it was this process that was late, the answers are there: told() is
// true again once all that came before them was told, and nothing needs to be made anew.
//
// What Redis must allow: SUBSCRIBE (of those channels), PING, GET; CLIENT ID and CLIENT TRACKING, or PSUBSCRIBE and CONFIG GET.
// Thread rule: a thread of its own, which calls the listener; told() from any. The destructor returns at once, but while a connection is
// being made: after StoreOptions::timeout at most. Cost: a message per profile written; the server's SETs are about a quarter slower.
#pragma once

#include <memory>
#include <string_view>

#include "adapters/store_options.h"
#include "pipeline/change_feed.h"

namespace attune {

// Connects in start(), which goes on trying for StoreOptions::patience. ERRORS: usage for a URL that can not be; io. Of start():
// unreachable, busy; config: refused, or notify-keyspace-events lacks something (the message says what).
[[nodiscard]] Result<std::unique_ptr<ChangeFeed>> open_redis_changes(std::string_view url, const StoreOptions& options,
                                                                     ChangeMode mode);

} // namespace attune
