"""Every way in which calls of comparable tools were seen to fail, and the tests that prove that
ours do not, or say so. A name is `module.test`, below `tests`."""

from __future__ import annotations

import importlib

import pytest

ROWS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: (
        "the goodbye is clipped",
        (
            "failures.test_audio.test_the_last_word_is_waited_for_however_late_the_phone_confirms_it",
            "failures.test_endings.test_a_callee_who_hangs_up_as_we_do_has_heard_the_last_word",
        ),
    ),
    2: (
        "the first syllable is lost",
        (
            "failures.test_audio.test_a_fifth_of_a_second_of_silence_comes_before_the_first_syllable",
        ),
    ),
    3: (
        "choppy audio",
        (
            "failures.test_audio.test_speech_is_queued_ahead_and_not_fed_at_the_pace_of_the_line",
            "endurance.test_exact.test_a_phone_of_bad_manners_hears_everything",
            "endurance.test_exact.test_a_slow_speech_service_makes_gaps_that_are_told_and_loses_nothing",
        ),
    ),
    4: (
        "a burst of noise at the start",
        (
            "failures.test_audio.test_a_file_in_place_of_plain_speech_rings_no_phone",
            "failures.test_audio.test_the_header_of_a_file_is_not_heard",
        ),
    ),
    5: (
        "complete silence",
        (
            "failures.test_patience.test_whatever_is_waited_for_in_vain_ends_the_call",
            "failures.test_structure.test_a_call_is_asked_for_whole_with_its_limits_and_no_document_to_fetch",
        ),
    ),
    6: (
        "the call stays up after our end",
        (
            "failures.test_endings.test_a_call_that_outlives_its_socket_is_hung_up_by_rest",
            "failures.test_patience.test_whatever_is_waited_for_in_vain_ends_the_call",
        ),
    ),
    7: (
        "a call bills after a crash",
        (
            "failures.test_endings.test_the_twilio_side_holds_the_time_limit_too",
            "test_call.test_after_a_sigkill_the_call_ends_by_itself_and_the_next_run_tells",
            "test_call.test_a_call_that_outlived_its_owner_is_hung_up_by_the_next_run",
            "test_calls.test_what_a_killed_run_left_is_reaped",
        ),
    ),
    8: (
        "a live call is reaped",
        (
            "transport.test_journal.test_orphans_are_calls_of_this_account_whose_owner_is_gone",
            "transport.test_journal.test_a_call_whose_owner_lives_is_no_orphan_even_to_itself",
        ),
    ),
    9: (
        "a call that is over is active still",
        (
            "failures.test_endings.test_the_callees_hang_up_ends_it_whatever_becomes_of_the_callbacks",
        ),
    ),
    10: (
        "a query string in the stream's address",
        ("failures.test_media.test_an_address_that_twilio_would_not_take_rings_no_phone",),
    ),
    11: (
        "an address that leads elsewhere, or takes no socket",
        (
            "failures.test_media.test_an_address_that_leads_elsewhere_rings_no_phone",
            "failures.test_media.test_a_socket_that_twilio_cannot_open_is_told_with_its_reason",
            "transport.test_probe.test_an_address_that_lets_no_websocket_through_is_deaf",
        ),
    ),
    12: (
        "a port that is taken",
        ("failures.test_dialling.test_a_port_that_is_taken_rings_no_phone",),
    ),
    13: (
        "an empty TwiML answer",
        (
            "failures.test_structure.test_a_call_is_asked_for_whole_with_its_limits_and_no_document_to_fetch",
        ),
    ),
    14: (
        "a signature that does not hold behind a tunnel",
        (
            "failures.test_media.test_signatures_hold_for_the_address_twilio_was_told_and_not_for_the_one_we_hear_at",
            "transport.test_signature.test_twilio_may_have_signed_another_form_of_the_address",
        ),
    ),
    15: (
        "a signature that nobody checks",
        (
            "failures.test_media.test_a_stranger_gets_no_word_of_the_call",
            "failures.test_patience.test_whatever_is_waited_for_in_vain_ends_the_call",
        ),
    ),
    16: (
        "a stranger on the socket",
        (
            "failures.test_media.test_a_stranger_gets_no_word_of_the_call",
            "failures.test_media.test_a_second_socket_is_refused_and_the_call_goes_on",
            "transport.test_phone.test_a_stranger_without_the_token_gets_no_socket",
            "transport.test_phone.test_a_frame_that_no_twilio_sends_ends_the_socket_unread",
            "transport.test_phone.test_a_socket_that_does_not_start_in_time_is_closed",
        ),
    ),
    17: (
        "who cuts in hears seconds of old speech",
        (
            "failures.test_callee.test_who_cuts_in_by_a_key_hears_no_more_and_no_more_is_said_to_be_heard",
            "failures.test_callee.test_who_cuts_in_by_speaking_hears_no_more",
        ),
    ),
    18: (
        "more is said to be heard than was",
        (
            "failures.test_callee.test_who_cuts_in_by_a_key_hears_no_more_and_no_more_is_said_to_be_heard",
        ),
    ),
    19: (
        "a stale mark ends the call",
        (
            "failures.test_callee.test_a_key_says_it_again_from_the_beginning",
            "failures.test_audio.test_a_mark_that_comes_twice_ends_nothing_early",
        ),
    ),
    20: (
        "a half-open socket holds the sender up",
        ("failures.test_media.test_a_socket_that_is_dead_and_open_holds_nobody_up",),
    ),
    21: (
        "no callback, because the tunnel died",
        (
            "failures.test_patience.test_whatever_is_waited_for_in_vain_ends_the_call",
            "failures.test_media.test_a_tunnel_that_dies_is_replaced_and_every_sentence_is_heard",
        ),
    ),
    22: (
        "a retried request calls twice",
        (
            "failures.test_dialling.test_a_call_whose_answer_is_lost_is_found_and_not_made_twice",
            "failures.test_dialling.test_a_call_whose_answer_is_too_slow_is_found_too",
            "failures.test_patience.test_whatever_is_waited_for_in_vain_ends_the_call",
        ),
    ),
    23: (
        "the rate limit",
        (
            "failures.test_dialling.test_too_many_requests_is_asked_again_for_nothing_was_done",
            "failures.test_dialling.test_too_many_requests_for_good_is_told",
            "transport.test_twilio_client.test_a_second_call_of_the_same_second_waits",
        ),
    ),
    24: (
        "voicemail gets half a message",
        (
            "failures.test_callee.test_a_machine_has_the_whole_message_on_its_tape_behind_the_beep",
            "failures.test_callee.test_a_machine_is_hung_up_on",
        ),
    ),
    25: (
        "dead air while it is found out who answered",
        (
            "failures.test_callee.test_a_human_hears_no_dead_air_while_it_is_found_out_who_they_are",
            "failures.test_structure.test_a_call_is_asked_for_whole_with_its_limits_and_no_document_to_fetch",
        ),
    ),
    26: (
        "speech that is slow or empty",
        (
            "failures.test_endings.test_nobody_is_called_before_there_is_something_to_say",
            "test_call.test_a_failing_speech_service_leaves_no_live_call",
        ),
    ),
    27: (
        "the speech socket drops in mid-sentence",
        (
            "failures.test_endings.test_a_lost_speech_connection_is_replaced_and_every_sentence_is_heard",
            "failures.test_endings.test_speech_that_fails_for_good_in_mid_call_is_a_call_cut_short",
        ),
    ),
    28: (
        "a trial account's error sentence",
        (
            "failures.test_dialling.test_what_twilio_does_not_allow_is_told_with_what_to_do",
            "failures.test_dialling.test_on_trial_the_callee_hears_no_stream_and_the_reason_is_told",
        ),
    ),
    29: (
        "an unverified number, a country, a wrong From",
        (
            "failures.test_dialling.test_what_twilio_does_not_allow_is_told_with_what_to_do",
            "failures.test_dialling.test_a_number_of_somebody_else_is_told_with_those_that_would_do",
        ),
    ),
    30: (
        "a region without its edge",
        (
            "test_call.test_what_is_wrong_beforehand_rings_no_phone",
            "transport.test_twilio_client.test_a_host_that_is_no_more_is_refused",
        ),
    ),
    31: (
        "a download nobody asked for, and its progress on stdout",
        ("transport.roads.test_ngrok.test_a_missing_agent_is_a_remedy_and_no_download",),
    ),
    32: (
        "a tunnel's process that survives us",
        (
            "transport.roads.test_agent.test_what_a_crash_left_behind_is_ended_and_nothing_else",
            "transport.roads.test_ngrok.test_cancelling_at_any_moment_leaves_no_agent",
        ),
    ),
    33: (
        "a tunnel that hangs at its end",
        ("transport.roads.test_agent.test_an_agent_that_does_not_hear_is_killed",),
    ),
    34: (
        "Ctrl-C ends the tunnel before the call",
        (
            "test_call.test_a_signal_ends_the_call_before_it_ends_us",
            "test_call.test_a_second_signal_does_not_stop_the_hanging_up",
        ),
    ),
    35: (
        "silence that is left out",
        ("failures.test_audio.test_a_line_that_leaves_out_silence_holds_nothing_up",),
    ),
    36: (
        "two calls share a session",
        ("failures.test_structure.test_two_calls_of_one_process_share_nothing",),
    ),
    37: (
        "a socket that is closed at a fixed age",
        (
            "failures.test_media.test_a_socket_that_is_cut_is_replaced_and_every_sentence_is_heard",
            "failures.test_media.test_a_socket_that_is_cut_is_a_call_cut_short_where_there_is_no_other",
        ),
    ),
    38: (
        "our own voice is taken for the callee's",
        ("transport.test_phone.test_a_whole_conversation",),
    ),
    39: (
        "logs that leak",
        ("failures.test_secrecy.test_logs_and_the_journal_tell_no_secret",),
    ),
    40: (
        "what Windows and newer Pythons lack",
        (
            "failures.test_structure.test_nothing_is_imported_that_newer_pythons_lack",
            "failures.test_structure.test_ctrl_c_hangs_up_where_asyncio_knows_no_signals",
        ),
    ),
}


def test_every_failure_has_its_tests() -> None:
    assert list(ROWS) == list(range(1, 41))
    assert all(tests for _, tests in ROWS.values())


@pytest.mark.parametrize("name", sorted({name for _, tests in ROWS.values() for name in tests}))
def test_each_of_them_is_there(name: str) -> None:
    module, _, function = name.rpartition(".")
    assert callable(getattr(importlib.import_module(f"tests.{module}"), function, None))
