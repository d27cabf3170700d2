// Who may come and when, with a gate that only remembers; tests/system/test_door.py has the real one.
#include "vault/door/doorkeeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"
#include "support/temporary_folder.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using pki::KnockPurpose;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Outcome = Doorkeeper::Outcome;

constexpr std::int64_t kHour = 3600 * base::kSecond;
constexpr std::int64_t kNoon = 1'764'244'800 * base::kSecond;  // 2025-11-27T12:00:00Z

class RememberingGate final : public door::Gate {
 public:
  base::Status open(const door::Address& address, seconds time) override {
    if (is_broken) return base::fail(ErrorCode::kNotFound, "no helper");
    is_open[address.text()] = time;
    return {};
  }
  base::Status shut(const door::Address& address) override {
    is_open.erase(address.text());
    return {};
  }
  base::Status shut_all() override {
    if (is_broken) return base::fail(ErrorCode::kNotFound, "no helper");
    is_open.clear();
    return {};
  }
  std::map<std::string, seconds> is_open;
  bool is_broken = false;
};

class DoorkeeperTest : public ::testing::Test {
 protected:
  struct Machine {
    pki::PrivateKey key = pki::PrivateKey::generate();
    base::Bytes certificate;
  };

  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    open();
    pc1_ = enrol("pc1");
  }
  // As after a restart.
  void open() {
    keeper_.reset();
    registry_.reset();
    journal_.reset();
    journal_ = first_ ? *Journal::create(path_, seed_, "a", now_) : *Journal::open(path_, seed_);
    first_ = false;
    registry_ = *Registry::open(*journal_);
    auto keeper = Doorkeeper::open({.journal = *journal_,
                                    .registry = *registry_,
                                    .gate = gate_,
                                    .authority = authority_.certificate().fingerprint(),
                                    .clock = [this] { return now_; },
                                    .cut = [this](const auto& machine, const auto&) { cut_.push_back(machine); }});
    ASSERT_TRUE(keeper) << keeper.error().text();
    keeper_ = *std::move(keeper);
  }
  Machine enrol(const std::string& name) {
    Machine machine;
    const auto secret = registry_->invite({.machine = name, .repository = "office"}, now_, now_ + kHour);
    const auto enrolment = registry_->enrol(*secret, pki::make_request(machine.key, "x"), authority_, now_);
    machine.certificate = enrolment->certificate.to_der();
    return machine;
  }
  base::Bytes datagram(const Machine& machine, std::uint64_t counter, KnockPurpose purpose = KnockPurpose::kJob) const {
    return pki::Knock{.purpose = purpose,
                      .counter = counter,
                      .authority = authority_.certificate().fingerprint(),
                      .certificate = machine.certificate}
        .encode(machine.key);
  }
  Outcome knock(std::uint64_t counter, KnockPurpose purpose = KnockPurpose::kJob, const char* from = "192.0.2.1") {
    return keeper_->knock(datagram(pc1_, counter, purpose), *door::Address::parse(from));
  }
  void allow_noon() { ASSERT_TRUE(keeper_->schedule("pc1", *Hours::parse("11:00+2h"), false, "operator")); }
  // Texts of events 20, and of alarms.
  std::vector<std::string> events() const {
    std::vector<std::string> texts;
    EXPECT_TRUE(journal_->for_each([&](const Entry& entry, base::ByteSpan) {
      if (entry.event.type == EventType::kDoor || entry.event.type == EventType::kAlarm) {
        texts.push_back(entry.event.text);
      }
    }));
    return texts;
  }

  kura::test::TemporaryFolder folder_;
  const std::string path_ = folder_ / "journal";
  const base::Key seed_{base::Bytes(32, 5)};
  std::int64_t now_ = kNoon;
  const pki::Authority authority_ = pki::Authority::create("a", now_);
  bool first_ = true;
  RememberingGate gate_;
  std::vector<std::string> cut_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Doorkeeper> keeper_;
  Machine pc1_;
};

TEST_F(DoorkeeperTest, AKnockWithinTheHoursOpensUntilTheirEndToWhereItCameFrom) {
  EXPECT_EQ(knock(1), Outcome::kRefused);
  EXPECT_THAT(gate_.is_open, IsEmpty());
  allow_noon();
  EXPECT_EQ(knock(2), Outcome::kOpened);
  EXPECT_EQ(gate_.is_open, (std::map<std::string, seconds>{{"192.0.2.1", seconds(3600)}}));
  EXPECT_TRUE(keeper_->is_open_for("pc1"));
  EXPECT_FALSE(keeper_->is_open_for("pc2"));
}

TEST_F(DoorkeeperTest, AKnockWorksOnceForEver) {
  allow_noon();
  EXPECT_EQ(knock(7), Outcome::kOpened);
  EXPECT_EQ(knock(7), Outcome::kIgnored);
  EXPECT_EQ(knock(6), Outcome::kIgnored);
  open();
  EXPECT_EQ(knock(7), Outcome::kIgnored);
  EXPECT_EQ(knock(8), Outcome::kOpened);
}

TEST_F(DoorkeeperTest, AKnockThatWasRefusedIsUsedUpToo) {
  EXPECT_EQ(knock(7), Outcome::kRefused);
  allow_noon();
  EXPECT_EQ(knock(7), Outcome::kIgnored);
  open();
  EXPECT_EQ(knock(7), Outcome::kIgnored);
}

TEST_F(DoorkeeperTest, StrangersForeignRevokedAndExpiredMachinesAreIgnored) {
  allow_noon();
  Machine forger = pc1_;
  forger.key = pki::PrivateKey::generate();
  const door::Address from = *door::Address::parse("192.0.2.1");
  EXPECT_EQ(keeper_->knock(datagram(forger, 9), from), Outcome::kIgnored);
  EXPECT_EQ(keeper_->knock(base::Bytes(300, 'K'), from), Outcome::kIgnored);
  const base::Bytes elsewhere =
      pki::Knock{.purpose = KnockPurpose::kJob, .counter = 9, .authority = {}, .certificate = pc1_.certificate}.encode(
          pc1_.key);
  EXPECT_EQ(keeper_->knock(elsewhere, from), Outcome::kIgnored);
  now_ += 91 * 24 * kHour;
  EXPECT_EQ(knock(9), Outcome::kIgnored);
  now_ = kNoon;
  EXPECT_EQ(knock(9), Outcome::kOpened);
  ASSERT_TRUE(registry_->revoke("pc1", "stolen", now_));
  ASSERT_TRUE(keeper_->shut("pc1", "it was revoked"));
  EXPECT_EQ(knock(10), Outcome::kIgnored);
  EXPECT_THAT(gate_.is_open, IsEmpty());
  EXPECT_THAT(cut_, ElementsAre("pc1"));
}

TEST_F(DoorkeeperTest, EmergenciesOpenAtAnyHourAFewTimesADayWithAnAlarm) {
  now_ += 8 * kHour;
  std::uint64_t counter = 0;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(knock(++counter, KnockPurpose::kEmergency), Outcome::kOpened);
    EXPECT_EQ(knock(++counter, KnockPurpose::kEmergency), Outcome::kOpened);  // the same one again
    ASSERT_TRUE(keeper_->shut("pc1", "enough"));
    open();
  }
  EXPECT_EQ(std::ranges::count(events(), "emergency: it asks to be let in at 192.0.2.1"), 3);
  EXPECT_EQ(knock(++counter, KnockPurpose::kEmergency), Outcome::kRefused);
  now_ += 24 * kHour;
  EXPECT_EQ(knock(++counter, KnockPurpose::kEmergency), Outcome::kOpened);
}

TEST_F(DoorkeeperTest, AnOrderOpensAtOnceAndLetsTheMachineKnock) {
  ASSERT_TRUE(keeper_->order("pc1", *door::Address::parse("192.0.2.9"), 8 * kHour, "operator"));
  EXPECT_EQ(gate_.is_open.at("192.0.2.9"), seconds(8 * 3600));
  now_ += 7 * kHour;
  EXPECT_EQ(knock(1), Outcome::kOpened);
  EXPECT_EQ(gate_.is_open, (std::map<std::string, seconds>{{"192.0.2.1", seconds(3600)}}));  // it is there now
  ASSERT_TRUE(keeper_->shut("pc1", "enough"));
  EXPECT_EQ(knock(2), Outcome::kRefused);
  EXPECT_EQ(keeper_->order("pc9", {}, kHour, "operator").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(keeper_->order("pc1", {}, 25 * kHour, "operator").error().code(), ErrorCode::kUsage);
}

TEST_F(DoorkeeperTest, WhatWasOpenIsShutAfterARestart) {
  allow_noon();
  EXPECT_EQ(knock(1), Outcome::kOpened);
  open();
  EXPECT_THAT(gate_.is_open, IsEmpty());
  EXPECT_FALSE(keeper_->is_open_for("pc1"));
  EXPECT_EQ(events().back(), "shut the vault was started again");
  open();
  EXPECT_EQ(std::ranges::count(events(), "shut the vault was started again"), 1);
  EXPECT_EQ(keeper_->state().front().schedule, "11:00+2h");
}

TEST_F(DoorkeeperTest, AGateThatCannotBeShutIsNotServed) {
  gate_.is_broken = true;
  EXPECT_FALSE(Doorkeeper::open({.journal = *journal_,
                                 .registry = *registry_,
                                 .gate = gate_,
                                 .authority = {},
                                 .clock = [this] { return now_; },
                                 .cut = [](const auto&, const auto&) {}}));
}

TEST_F(DoorkeeperTest, AGateThatDoesNotOpenLeavesTheMachineOutside) {
  allow_noon();
  gate_.is_broken = true;
  EXPECT_EQ(knock(1), Outcome::kRefused);
  EXPECT_FALSE(keeper_->is_open_for("pc1"));
}

TEST_F(DoorkeeperTest, TheDoorEndsWithTheJobTheTimeAndAQuietMinute) {
  using Steady = Doorkeeper::Steady;
  allow_noon();
  knock(1);
  keeper_->look({"pc1"});
  keeper_->leave("pc1");
  keeper_->look({"pc1"});  // another program of the machine is still at work
  EXPECT_TRUE(keeper_->is_open_for("pc1"));
  keeper_->look({});
  EXPECT_EQ(events().back(), "shut the job has ended");

  knock(2);
  keeper_->look({"pc1"}, Steady::now() + seconds(59));
  keeper_->look({}, Steady::now() + seconds(59 + 59));
  EXPECT_TRUE(keeper_->is_open_for("pc1"));
  keeper_->look({}, Steady::now() + seconds(59 + 61));
  EXPECT_EQ(events().back(), "shut nobody was connected");

  knock(3);
  now_ += kHour;
  keeper_->look({"pc1"});
  EXPECT_EQ(events().back(), "shut the time is over");
  EXPECT_THAT(gate_.is_open, IsEmpty());
  EXPECT_THAT(cut_, ElementsAre("pc1", "pc1", "pc1"));
}

TEST_F(DoorkeeperTest, TheTimeIsOverAlsoWhenTheClockIsSetBack) {
  allow_noon();
  knock(1);
  now_ -= 1000 * kHour;
  keeper_->look({"pc1"}, Doorkeeper::Steady::now() + seconds(3601));
  EXPECT_EQ(events().back(), "shut the time is over");
}

TEST_F(DoorkeeperTest, AnOrderThatNobodyHasUsedYetWaits) {
  ASSERT_TRUE(keeper_->order("pc1", *door::Address::parse("192.0.2.9"), kHour, "operator"));
  keeper_->look({}, Doorkeeper::Steady::now() + seconds(600));
  EXPECT_TRUE(keeper_->is_open_for("pc1"));
}

TEST_F(DoorkeeperTest, MachinesAtOneAddressDoNotShutEachOtherOut) {
  enrol("pc2");
  const auto shared = *door::Address::parse("192.0.2.1");
  ASSERT_TRUE(keeper_->order("pc1", shared, 2 * kHour, "operator"));
  ASSERT_TRUE(keeper_->order("pc2", shared, kHour, "operator"));
  EXPECT_EQ(gate_.is_open.at("192.0.2.1"), seconds(7200));
  ASSERT_TRUE(keeper_->shut("pc1", "enough"));
  EXPECT_EQ(gate_.is_open.at("192.0.2.1"), seconds(3600));
  ASSERT_TRUE(keeper_->shut("pc2", "enough"));
  EXPECT_THAT(gate_.is_open, IsEmpty());
}

TEST_F(DoorkeeperTest, AMachineHasOneAddressOfEachKind) {
  allow_noon();
  knock(1, KnockPurpose::kJob, "192.0.2.1");
  knock(2, KnockPurpose::kJob, "2001:db8::1");
  EXPECT_EQ(gate_.is_open.size(), 2U);
  knock(3, KnockPurpose::kJob, "192.0.2.2");
  EXPECT_EQ(gate_.is_open.size(), 2U);
  EXPECT_FALSE(gate_.is_open.contains("192.0.2.1"));
}

TEST_F(DoorkeeperTest, AMachineThatKnocksWithoutEndDoesNotFillTheJournal) {
  for (std::uint64_t i = 1; i <= 200; ++i) knock(i);
  EXPECT_LT(events().size(), 25U);
  allow_noon();
  EXPECT_EQ(knock(150), Outcome::kIgnored);  // what was not written down is used up all the same
}

TEST_F(DoorkeeperTest, HoursAreAddedAndRemovedAndStay) {
  allow_noon();
  ASSERT_TRUE(keeper_->schedule("pc1", *Hours::parse("02:00+3h@mon"), false, "Jo from by the sea"));
  open();
  EXPECT_EQ(keeper_->state().front().schedule, "11:00+2h 02:00+3h@mon");
  ASSERT_TRUE(keeper_->schedule("pc1", std::nullopt, true, "operator"));
  open();
  EXPECT_EQ(keeper_->schedule("pc1", std::nullopt, false, "operator")->text(), "none");
  EXPECT_FALSE(keeper_->schedule("nobody", std::nullopt, false, "operator"));
}

}  // namespace
}  // namespace kura::vault
