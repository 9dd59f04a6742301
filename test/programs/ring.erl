%% Rings of processes, timers, tables, binaries, files and a port in Erlang.  escript ring.erl DIRECTORY ROUNDS
-module(ring).
-export([main/1]).
-mode(compile).

main([Directory, Rounds]) ->
    Table = ets:new(sums, [ordered_set]),
    lists:foreach(fun(Turn) -> turn(Directory, Table, Turn) end, lists:seq(1, list_to_integer(Rounds))),
    io:format("~p sums, last ~p~n", [ets:info(Table, size), ets:last(Table)]),
    Port = open_port({spawn, "cat"}, [binary]),
    port_command(Port, <<"through a port">>),
    receive {Port, {data, Data}} -> io:format("~s~n", [Data]) after 10000 -> io:format("nothing through the port~n") end,
    port_close(Port),
    halt(11).

turn(Directory, Table, Turn) ->
    Self = self(),
    First = lists:foldl(fun(_, Next) -> spawn(fun() -> pass(Next) end) end, Self, lists:seq(1, 300)),
    First ! {token, Turn},
    Token = receive {token, Value} -> Value after 20000 -> lost end,
    erlang:send_after(10, Self, tick),
    receive tick -> ok after 20000 -> io:format("no tick~n") end,
    Binary = << <<((N * 7919 + Turn) rem 251):8>> || N <- lists:seq(1, 20000) >>,
    File = filename:join(Directory, "block-" ++ integer_to_list(Turn rem 5)),
    ok = file:write_file(File, Binary),
    {ok, Binary} = file:read_file(File),
    Sum = erlang:crc32(Binary),
    ets:insert(Table, {Turn, Sum}),
    case Turn rem 10 of
        0 -> io:format("~p: token ~p, sum ~p, shell ~s", [Turn, Token, Sum, os:cmd("echo $((6 * 7))")]);
        _ -> ok
    end.

pass(Next) ->
    receive {token, Value} -> Next ! {token, Value + 1} end.
