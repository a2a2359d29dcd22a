// The makers of all commands, for registry.cc.
#pragma once

#include <memory>

namespace callvault::cli {

class Command;

std::unique_ptr<Command> make_init();
std::unique_ptr<Command> make_ingest();
std::unique_ptr<Command> make_find();
std::unique_ptr<Command> make_show();
std::unique_ptr<Command> make_play();
std::unique_ptr<Command> make_pause();
std::unique_ptr<Command> make_resume();
std::unique_ptr<Command> make_consent();
std::unique_ptr<Command> make_hold();
std::unique_ptr<Command> make_unhold();
std::unique_ptr<Command> make_erase();
std::unique_ptr<Command> make_purge();
std::unique_ptr<Command> make_prove_gone();
std::unique_ptr<Command> make_inspect();
std::unique_ptr<Command> make_check();
std::unique_ptr<Command> make_recover();
std::unique_ptr<Command> make_reindex();
std::unique_ptr<Command> make_status();
std::unique_ptr<Command> make_doctor();
std::unique_ptr<Command> make_may_record();
std::unique_ptr<Command> make_opt_out_add();
std::unique_ptr<Command> make_opt_out_remove();
std::unique_ptr<Command> make_restrict();
std::unique_ptr<Command> make_unrestrict();
std::unique_ptr<Command> make_rectify();
std::unique_ptr<Command> make_alias_add();
std::unique_ptr<Command> make_alias_remove();
std::unique_ptr<Command> make_alias_show();
std::unique_ptr<Command> make_request_answer();
std::unique_ptr<Command> make_request_open();
std::unique_ptr<Command> make_request_assign();
std::unique_ptr<Command> make_request_decide();
std::unique_ptr<Command> make_request_extend();
std::unique_ptr<Command> make_request_close();
std::unique_ptr<Command> make_request_party();
std::unique_ptr<Command> make_request_show();
std::unique_ptr<Command> make_request_list();
std::unique_ptr<Command> make_breach_open();
std::unique_ptr<Command> make_breach_assess();
std::unique_ptr<Command> make_breach_notify();
std::unique_ptr<Command> make_breach_note();
std::unique_ptr<Command> make_breach_close();
std::unique_ptr<Command> make_breach_show();
std::unique_ptr<Command> make_breach_list();
std::unique_ptr<Command> make_breach_scope();
std::unique_ptr<Command> make_notice_add();
std::unique_ptr<Command> make_notice_list();
std::unique_ptr<Command> make_notice_show();
std::unique_ptr<Command> make_report_processing();
std::unique_ptr<Command> make_report_data_map();
std::unique_ptr<Command> make_report_retention();
std::unique_ptr<Command> make_report_accesses();
std::unique_ptr<Command> make_report_requests();
std::unique_ptr<Command> make_copy();
std::unique_ptr<Command> make_disclose();
std::unique_ptr<Command> make_report_notice();
std::unique_ptr<Command> make_person_add();
std::unique_ptr<Command> make_person_list();
std::unique_ptr<Command> make_person_show();
std::unique_ptr<Command> make_person_passwd();
std::unique_ptr<Command> make_person_disable();
std::unique_ptr<Command> make_person_assess();
std::unique_ptr<Command> make_person_accept();
std::unique_ptr<Command> make_person_renew();
std::unique_ptr<Command> make_duty_set();
std::unique_ptr<Command> make_duty_show();
std::unique_ptr<Command> make_approve();
std::unique_ptr<Command> make_approvals_list();
std::unique_ptr<Command> make_journal_log();
std::unique_ptr<Command> make_journal_verify();
std::unique_ptr<Command> make_journal_checkpoint();
std::unique_ptr<Command> make_journal_prove();
std::unique_ptr<Command> make_keeper_status();
std::unique_ptr<Command> make_keeper_serve();

}  // namespace callvault::cli
