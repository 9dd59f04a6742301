// Caught NullPointerExceptions (a SIGSEGV inside the virtual machine), garbage collection, threads, files.  Garbage DIRECTORY ROUNDS
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public class Garbage {
  static class Cell {
    Cell next;
    int[] values = new int[64];
  }

  // Compiled code tests no pointer that has never been null: it reads through it and lets the signal handler find out.
  static int follow(Cell cell) {
    try {
      return cell.next.values[3];
    } catch (NullPointerException absent) {
      return -1;
    }
  }

  static long work(int round) {
    long sum = 0;
    Map<Integer, List<Cell>> kept = new HashMap<>();
    for (int i = 0; i < 20000; i++) {
      Cell cell = new Cell();
      cell.values[3] = i * round;
      if (i % 3 != 0) {
        cell.next = new Cell();
        cell.next.values[3] = i;
      }
      sum += follow(cell);
      if (i % 10 == 0) kept.computeIfAbsent(i % 50, key -> new ArrayList<>()).add(cell);
    }
    for (List<Cell> cells : kept.values()) for (Cell cell : cells) sum += cell.values[3] % 17;
    return sum;
  }

  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    int rounds = Integer.parseInt(arguments[1]);
    ExecutorService pool = Executors.newFixedThreadPool(3);
    for (int round = 0; round < rounds; round++) {
      List<Future<Long>> futures = new ArrayList<>();
      for (int task = 0; task < 6; task++) {
        int seed = round * 6 + task;
        Callable<Long> callable = () -> work(seed);
        futures.add(pool.submit(callable));
      }
      long sum = 0;
      for (Future<Long> future : futures) sum += future.get();
      Files.writeString(directory.resolve("sums"), round + " " + sum + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      if (round % 25 == 0) {
        System.gc();
        System.out.println(round + ": " + sum);
      }
      Thread.sleep(1);
    }
    pool.shutdown();
    try {
      Files.readString(directory.resolve("absent"));
    } catch (NoSuchFileException absent) {
      System.out.println("absent, " + Files.size(directory.resolve("sums")) + " bytes of sums");
    }
    System.exit(4);
  }
}
