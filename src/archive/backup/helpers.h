// Threads that compress large chunks for a thread that puts them alone.
#pragma once

#include <thread>
#include <vector>

#include "archive/backup/lane.h"

namespace kura::archive {

//   Helpers helpers(writer, 2);
//   Lane lane(writer, &helpers.tasks());   // gone before the helpers are
class Helpers {
 public:
  Helpers(Writer& writer, unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this, &writer] { run(writer); });
    }
  }
  // Returns when everything that was given away is done.
  ~Helpers() { tasks_.close(); }

  TaskQueue& tasks() { return tasks_; }

 private:
  void run(Writer& writer) {
    Lane lane(writer);
    std::optional<TaskQueue::Task> task;
    while ((task = tasks_.next(task.has_value(), writer.job().token()))) {
      auto& frame = std::get<RawFrame>(*task);
      lane.store(frame);
      tasks_.memory().give_back(std::move(frame.text));
    }
  }

  TaskQueue tasks_{0};
  std::vector<std::jthread> threads_;
};

}  // namespace kura::archive
