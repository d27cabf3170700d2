#include <unistd.h>

#include <string>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "guard/actors/table.h"
#include "guard/cases.h"
#include "guard/judge/passing.h"
#include "guard/watch/opens.h"
#include "support/guard/smbd_of_a_client.h"

namespace kura::guard {
namespace {

ActorName client(const std::string& address) { return {ActorKind::kSamba, address, "alice", "office", 0, {}, {}}; }

TEST(Samba, TellsAddressUserAndShareOfEachProcess) {
  const auto clients = parse_samba_clients(R"({"sessions": {"1": {"server_id": {"pid": "77"}, "username": "alice",
      "remote_machine": "evil", "hostname": "ipv4:192.0.2.7:49152"}, "2": {"server_id": {"pid": "78"}, "username": "bob",
      "hostname": "ipv6:2001:db8::9:50000"}}, "tcons": {"5": {"service": "IPC$", "server_id": {"pid": "77"}},
      "6": {"service": "office", "server_id": {"pid": "77"}}}})");
  ASSERT_TRUE(clients);
  EXPECT_EQ(clients->at(77).address, "192.0.2.7");
  EXPECT_EQ(clients->at(77).account, "alice");
  EXPECT_EQ(clients->at(77).share, "office");
  EXPECT_EQ(clients->at(78).address, "2001:db8::9");
  for (const char* hostile :
       {"", "[]", "{\"sessions\": 1}", "{\"sessions\": {\"1\": {\"server_id\": {\"pid\": \"x\"}}}}"}) {
    EXPECT_TRUE(!parse_samba_clients(hostile) || parse_samba_clients(hostile)->empty()) << hostile;
  }
}

TEST(ActorTable, KnowsTheSameProcessAgain) {
  ActorTable table(10, 10);
  const ActorPointer self = table.of(::getpid());
  EXPECT_EQ(self->name().kind, ActorKind::kLocal);
  EXPECT_EQ(self->name().user, ::geteuid());
  EXPECT_TRUE(self->name().program.ends_with("kura_guard_test"));
  EXPECT_EQ(table.of(::getpid()), self);
  EXPECT_EQ(self->state.lock()->processes.size(), 1U);
}

TEST(ActorTable, HandsWhatSpokeAgainstAnAddressToTheClientWhoComesFromThere) {
  test::SmbdOfAClient smbd;
  ActorTable table(10, 10, {smbd.port()});
  const ActorPointer unnamed = table.of(smbd.start());
  for (int i = 0; i < 3; ++i) table.set_clients({});  // it was gone when Samba was asked
  const ActorPointer address = table.current(unnamed);
  ASSERT_EQ(address->name().key(), "smb:127.0.0.1::");
  const pid_t next = smbd.start();
  ASSERT_EQ(table.of(next), address);
  address->state.lock()->trial.add(Sign::kBecameBroken, "a", 5);
  table.set_clients({{next, {"127.0.0.1", "alice", "office"}}});
  const ActorPointer alice = table.of(next);
  EXPECT_EQ(alice->name().key(), "smb:127.0.0.1:alice:office");
  EXPECT_EQ(table.current(address), alice);
  EXPECT_EQ(table.current(unnamed), alice);
  EXPECT_EQ(table.current_name(unnamed->name()).key(), alice->name().key());
  EXPECT_EQ(alice->state.lock()->trial.proofs().size(), 1U);
  table.set_clients({{smbd.start(), {"127.0.0.1", "bob", "office"}}});
  EXPECT_EQ(table.current(address), alice) << "once";
}

TEST(ActorName, IsReadBackFromItsKey) {
  for (const std::string key :
       {"smb:192.0.2.7:alice:office", "smb:2001:db8::9:bob:office", "local:33:/usr/bin/x:a.service", "unseen"}) {
    EXPECT_EQ(name_of_key(key).key(), key);
  }
}

TEST(Actor, IsKeptBetweenStarts) {
  ActorState state;
  state.trial.add(Sign::kBecameBroken, "a\xff", 5, "why");
  state.valid_changes = 7;
  ActorState again;
  take_facts(facts_of(state), again);
  EXPECT_EQ(again.valid_changes, 7U);
  ASSERT_EQ(again.trial.proofs().size(), 1U);
  EXPECT_EQ(again.trial.proofs()[0].path, "a\xff");
}

TEST(Opens, AreDecidedByWhatIsKnown) {
  Actor actor(client("192.0.2.7"), 10, 10);
  EXPECT_EQ(decide(actor, Access::kRead, false), OpenDecision::kAllow);
  EXPECT_EQ(decide(actor, Access::kWrite, false), OpenDecision::kLane);
  actor.usual = true;
  EXPECT_EQ(decide(actor, Access::kWrite, false), OpenDecision::kAllow);
  EXPECT_EQ(decide(actor, Access::kWrite, true), OpenDecision::kLane);
  actor.watched = true;
  EXPECT_EQ(decide(actor, Access::kWrite, false), OpenDecision::kLane);
  actor.contained = true;
  EXPECT_EQ(decide(actor, Access::kRead, false), OpenDecision::kRefuse);
}

TEST(Passing, MatchesByNameAndBySize) {
  std::deque<Passing> came{{"d/xyz", 20'300, 0}, {"d/a.docx.locked", 900, 0}};
  std::deque<Passing> went{{"d/a.docx", 800, 0}, {"e/b.docx", 20'000, 0}};
  EXPECT_EQ(take_pair(came, went)->went.path, "d/a.docx");
  EXPECT_EQ(take_pair(came, went)->went.path, "e/b.docx");
  EXPECT_FALSE(take_pair(came, went));
  EXPECT_TRUE(sizes_fit(30'000, 40'000));
  EXPECT_FALSE(sizes_fit(30'000, 12'000)) << "a compressed file";
}

TEST(Passing, ACopyThatBrokeOffIsMatchedByItsNameOnly) {
  std::deque<Passing> came{{"d/copy b.docx", 20'300, 0, true}};
  std::deque<Passing> went{{"e/b.docx", 20'000, 0}};
  EXPECT_FALSE(take_pair(came, went));
  went.push_back({"d/copy b.doc", 900, 0});
  EXPECT_EQ(take_pair(came, went)->went.path, "d/copy b.doc");
}

TEST(Incident, IsReadAsItWasWritten) {
  Incident incident;
  incident.id = "x";
  incident.state = IncidentState::kContained;
  incident.actor = client("192.0.2.7");
  incident.since = 1'700'000'000'123'456'789;
  incident.proofs.push_back({Sign::kReplaced, "a\xff", 5'000'000'000, "why"});
  incident.steps.push_back({"stop_process", true, "d", 0, {42, 43}});
  incident.files.push_back({{"p", "q", "renamed", 0}, 9, "q"});
  const auto text = boost::json::serialize(to_json(incident));
  const auto again = incident_of(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(boost::json::serialize(to_json(*again)), text);
  EXPECT_EQ(again->proofs[0].path, "a\xff");
  EXPECT_EQ(again->steps[0].process.pid, 42);
  EXPECT_EQ(again->since, incident.since);
}

}  // namespace
}  // namespace kura::guard
