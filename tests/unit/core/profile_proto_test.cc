#include "core/profile_proto.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <profile.pb.h>

#include <boost/test/unit_test.hpp>

#include "support/profile_builders.h"

namespace attune {
namespace {

using namespace testing;

Profile a_full_profile(std::uint64_t seed)
{
  StreamKnobs knobs;
  knobs.events = 900;
  knobs.odd = true;
  Profile profile = profile_of(a_stream(seed, knobs));
  profile.aliases = {{CustomerId("anon-1"), {Timestamp{-5}, EventId("a")}}, {CustomerId("anon-2"), {Timestamp{0}, EventId("b")}}};
  profile.moved_to = AliasClaim{CustomerId("c2"), {Timestamp{kNoon}, EventId("m")}};
  profile.forgotten = Place{kMinTime, EventId("f")};
  profile.consent = Consent{seed % 2 == 0, {Timestamp{kNoon}, EventId("w")}};
  profile.version_base = seed;
  return profile;
}

std::string serialized(const v1::Profile& message)
{
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

v1::Profile message_of(const Profile& profile)
{
  v1::Profile message;
  BOOST_TEST_REQUIRE(message.ParseFromString(bytes_of(profile)));
  return message;
}

std::string refusal(const v1::Profile& message)
{
  const auto decoded = decode_profile(CustomerId("c1"), serialized(message));
  return decoded ? "" : decoded.error().message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(profile_proto)

BOOST_AUTO_TEST_CASE(what_was_encoded_decodes_to_the_same_profile_and_encodes_to_the_same_bytes)
{
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Profile profile = a_full_profile(seed);
    const std::string bytes = bytes_of(profile);
    const auto decoded = decode_profile(profile.customer, bytes);
    BOOST_TEST_REQUIRE(decoded.ok());
    BOOST_TEST((*decoded == profile));
    BOOST_TEST(bytes_of(*decoded) == bytes);
  }
}

BOOST_AUTO_TEST_CASE(protobufs_own_classes_read_the_bytes_and_write_the_same)
{
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Profile profile = a_full_profile(seed);
    BOOST_TEST(serialized(message_of(profile)) == bytes_of(profile));
  }
  BOOST_TEST(serialized(message_of(a_profile())) == bytes_of(a_profile()));
}

BOOST_AUTO_TEST_CASE(protobufs_own_classes_find_each_value_where_the_schema_says)
{
  Event order = a_purchase("p", kNoon, {a_line("a", 2, "9.99")}, "o");
  order.category = "shoes";
  Profile profile =
      profile_of({order, an_event(EventType::view, "old", kNoon - 40 * kDay, "b"), an_event(EventType::view, "new", kNoon, "b")});
  profile.forgotten = Place{{-7}, EventId("f")};
  const auto message = message_of(profile);
  BOOST_TEST(message.format() == kProfileFormat);
  const auto& kept = message.orders_and_carts(0);
  BOOST_TEST(kept.id() == "p");
  BOOST_TEST(kept.time() == kNoon);
  BOOST_TEST(kept.type() == static_cast<std::uint32_t>(EventType::purchase));
  BOOST_TEST(kept.lines(0).price() == 9'990'000);
  BOOST_TEST(kept.lines(0).quantity() == 2);
  BOOST_TEST(kept.currency() == "EUR");
  BOOST_TEST(kept.category() == "shoes");
  BOOST_TEST(kept.order() == "o");
  BOOST_TEST(message.other(0).id() == "new");
  BOOST_TEST(message.floor_of_other().id() == "old");
  BOOST_TEST(message.tiles(0).granularity() == 3u);
  BOOST_TEST(message.tiles(0).items(0).name() == "b");
  BOOST_TEST(message.tiles(0).items(0).counts(0).type() == "view");
  BOOST_TEST(message.tiles(0).items(0).counts(0).count() == 1u);
  BOOST_TEST(message.folded_times(0) == kNoon - 40 * kDay);
  BOOST_TEST(message.first_time() == kNoon - 40 * kDay);
  BOOST_TEST(message.forgotten().time() == -7);
}

BOOST_AUTO_TEST_CASE(sums_beyond_64_bits_and_below_zero_come_back)
{
  Profile profile = a_profile();
  Tile tile;
  tile.spend = {{*parse_currency("EUR"), *parse_total("-0.000001")},
                {*parse_currency("USD"), *parse_total("99999999999999999999999999")}};
  profile.summary.tiles = {StoredTile::of(tile)};
  const auto decoded = decode_profile(profile.customer, bytes_of(profile));
  BOOST_TEST((*decoded == profile));
  BOOST_TEST((decoded.value().summary.tiles.at(0).tile() == tile));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_a_profile_are_refused_with_its_name)
{
  const auto said = [](std::string_view bytes) { return decode_profile(CustomerId("c1"), bytes).error().message; };
  BOOST_TEST(said("") == "profile of c1: not a profile");
  BOOST_TEST(said("garbage") == "profile of c1: not a profile");
  BOOST_TEST(said(std::string("\x08\x02", 2)) == "profile of c1: written in a newer format");
  BOOST_TEST(said(std::string("\x08\x01\xf8\x01\x01", 5)) == "profile of c1: not a profile"); // field 31 is unknown
  std::string cut = bytes_of(a_full_profile(1));
  cut.pop_back();
  BOOST_TEST(said(cut) == "profile of c1: not a profile");
}

BOOST_AUTO_TEST_CASE(lists_out_of_order_and_values_out_of_range_are_refused)
{
  const auto good = message_of(a_full_profile(3));
  BOOST_TEST(refusal(good) == "");
  const auto refuses = [&good](const auto& damage) {
    auto message = good;
    damage(message);
    return refusal(message) != "";
  };
  BOOST_TEST(refuses([](auto& m) { m.mutable_other()->SwapElements(0, 1); }));
  BOOST_TEST(refuses([](auto& m) { *m.add_impressions() = m.other(0); }));
  BOOST_TEST(refuses([](auto& m) { m.mutable_other(0)->set_type(static_cast<std::uint32_t>(EventType::identify)); }));
  BOOST_TEST(refuses([](auto& m) { m.mutable_other(0)->set_type(99); }));
  BOOST_TEST(refuses([](auto& m) { m.mutable_other(0)->clear_id(); }));
  BOOST_TEST(refuses([](auto& m) { *m.mutable_other(0)->mutable_id() = std::string(65, 'x'); }));
  BOOST_TEST(refuses([](auto& m) { m.mutable_other(0)->set_time(kMinTime.ms - 1); }));
  BOOST_TEST(refuses([](auto& m) { m.mutable_floor_of_other()->set_time(kMaxTime.ms); }));
  BOOST_TEST(refuses([](auto& m) { m.mutable_tiles()->SwapElements(0, 1); }));
  BOOST_TEST(refuses([](auto& m) { m.mutable_tiles(0)->set_start(m.tiles(0).start() + 1); }));
  BOOST_TEST(refuses([](auto& m) { m.mutable_tiles(0)->set_granularity(4); }));
  BOOST_TEST(refuses([](auto& m) { *m.add_aliases() = m.aliases(0); }));
  BOOST_TEST(refuses([](auto& m) { m.add_folded_times(0); }));
  BOOST_TEST(refuses([](auto& m) { m.set_folded_times(0, kMaxTime.ms); }));
  BOOST_TEST(refuses([](auto& m) { m.set_first_time(kMaxTime.ms + 1); }));
}

BOOST_AUTO_TEST_CASE(a_profile_cut_anywhere_is_read_or_refused_and_no_more)
{
  const std::string bytes = bytes_of(profile_of(a_stream(5, {.events = 60, .days = 90, .items = 10})));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto decoded = decode_profile(CustomerId("c1"), std::string_view(bytes).substr(0, n));
    if (decoded) BOOST_TEST(bytes_of(*decoded).size() <= n);
  }
}

BOOST_AUTO_TEST_CASE(digests_tell_bytes_apart_and_no_bytes_have_the_zero_one)
{
  BOOST_TEST((digest_of("") == Digest{}));
  BOOST_TEST((digest_of("a") != Digest{}));
  BOOST_TEST((digest_of("a") != digest_of("b")));
  BOOST_TEST((digest_of("a") == digest_of("a")));
  // XXH3-128 of "a", canonical form: stored digests outlive a build.
  const Digest a{0xa9, 0x6f, 0xaf, 0x70, 0x5a, 0xf1, 0x68, 0x34, 0xe6, 0xc6, 0x32, 0xb6, 0x1e, 0x96, 0x4e, 0x1f};
  BOOST_TEST((digest_of("a") == a));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
