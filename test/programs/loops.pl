# Hashes, regular expressions, sorting, files, pipes and a signal handler in perl.  loops.pl DIRECTORY ROUNDS
use strict;
use warnings;
my ($directory, $rounds) = @ARGV;
$| = 1;
my %count;
my $alarms = 0;
$SIG{ALRM} = sub { $alarms++; alarm 1 };
alarm 1;
for my $turn (1 .. $rounds) {
  my $text = join ' ', map { ($_ * 7919 + $turn) % 5003 } 1 .. 4000;
  $count{$_}++ for $text =~ /\b(\d*7\d*)\b/g;
  (my $changed = $text) =~ s/(\d)(\d)/$2$1/g;
  my $sum = unpack '%32C*', $changed;
  open my $out, '>>', "$directory/lines" or die "lines: $!";
  print $out join(',', $turn, $sum, (sort { $a <=> $b } keys %count)[0 .. 3]), "\n";
  close $out or die "lines: $!";
  next if $turn % 25;
  open my $pipe, '-|', 'sort', '-t,', '-k2n', "$directory/lines" or die "sort: $!";
  my @lines = <$pipe>;
  close $pipe or die "sort: $?";
  chomp @lines;
  print "$turn: ", scalar(@lines), " first $lines[0] last $lines[-1]\n";
}
# A fast machine may be through before the first.
for (1 .. 100) { last if $alarms; select undef, undef, undef, 0.1 }
print 'words ', scalar(keys %count), ', alarms ', ($alarms > 0 ? 'came' : 'did not come'), "\n";
