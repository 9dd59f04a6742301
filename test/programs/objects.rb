# Threads, fibers, garbage, files, a queue, exceptions, timers and child processes in Ruby.  objects.rb DIRECTORY ROUNDS
require 'digest/sha2'   # digest alone loads it when it is first asked for, and fails if two threads ask at once
require 'timeout'

directory, rounds = ARGV[0], Integer(ARGV[1])
$stdout.sync = true
signals = 0
trap('USR1') { signals += 1 }

numbers = Fiber.new do
  a, b = 0, 1
  loop { Fiber.yield a; a, b = b, (a + b) % 1_000_003 }
end

rounds.times do |turn|
  queue = Queue.new
  workers = 4.times.map do |each|
    Thread.new do
      sum = 0
      while (item = queue.pop) != :end
        sum += item * (each + 1) ? Digest::SHA256.hexdigest(item.to_s).to_i(16) % 997 : 0
      end
      sum
    end
  end
  400.times { |item| queue << item * turn }
  4.times { queue << :end }
  total = workers.sum(&:value)
  text = Array.new(2000) { |i| "word#{(i * 7919 + turn) % 613}" }
  counts = text.tally.sort_by { |word, count| [-count, word] }.first(3)
  path = File.join(directory, "turn-#{turn % 7}")
  File.write(path, text.join(' '))
  raise 'a file differs' unless File.read(path) == text.join(' ')
  begin
    Timeout.timeout(0.02) { sleep }
  rescue Timeout::Error
    late = 'in time'
  end
  reader, writer = IO.pipe
  child = fork { reader.close; writer.puts("child of turn #{turn}"); writer.close; exit!(turn % 100) }
  writer.close
  said = reader.read.chomp
  reader.close
  Process.wait(child)
  Process.kill('USR1', Process.pid)
  puts "#{turn}: #{total} #{counts.inspect} #{numbers.resume} #{late} #{said}, status #{$?.exitstatus}" if turn % 5 == 0
  GC.start if turn % 10 == 0
end
sleep 0.01 until signals > 0
puts "shell says #{`echo "$((6 * 7))"`.chomp}"
exit 23
