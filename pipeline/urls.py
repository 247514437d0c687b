"""The addresses of the pipeline app, grouped by subject."""

from django.urls import URLPattern, URLResolver, path

from pipeline.views import (
    bins,
    board,
    calendar,
    checklists,
    companies,
    contracts,
    converting,
    deal_firings,
    deal_list,
    deals,
    follow_up_list,
    leads,
    line_items,
    moves,
    my_day,
    quick_add,
    regrouping,
    search,
    together,
)

urlpatterns: list[URLPattern | URLResolver] = [
    # My day
    path("", my_day.my_day, name="my_day"),
    # Follow-ups
    path("follow-ups/", follow_up_list.follow_up_list, name="follow_up_list"),
    path("follow-ups/bulk/", follow_up_list.follow_up_bulk, name="follow_up_bulk"),
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/events/", calendar.calendar_events, name="calendar_events"),
    # Search and bin
    path("search/", search.search, name="search"),
    path("bin/", bins.bin_list, name="bin_list"),
    # Companies and contacts
    path("companies/", companies.company_list, name="company_list"),
    path("companies/<int:pk>/", companies.company_detail, name="company_detail"),
    path("contacts/", companies.contact_list, name="contact_list"),
    path("contacts/<int:pk>/", companies.contact_detail, name="contact_detail"),
    # Board
    path("board/", board.board, name="board"),
    path("board/<slug:slug>/", board.deal_board, name="deal_board"),
    path("board/<slug:slug>/changes/", board.board_changes, name="board_changes"),
    path("board/<slug:slug>/columns/<slug:key>/", board.board_column, name="board_column"),
    path("board/<slug:slug>/columns/<slug:key>/add/", quick_add.deal_quick_add, name="deal_quick_add"),
    path("board/<slug:slug>/cards/<int:pk>/", board.deal_card, name="deal_card"),
    path("deals/<int:pk>/move/", moves.deal_move, name="deal_move"),
    path("deals/<int:pk>/win/", moves.deal_win, name="deal_win"),
    path("deals/<int:pk>/lose/", moves.deal_lose, name="deal_lose"),
    path("deals/move/", together.deal_move_together, name="deal_move_together"),
    path("deals/<int:pk>/undo/", moves.deal_undo, name="deal_undo"),
    path("deals/<int:pk>/hand-over/", regrouping.deal_hand_over, name="deal_hand_over"),
    path("deals/<int:pk>/redate/", regrouping.deal_redate, name="deal_redate"),
    path("deals/<int:pk>/take-back/", regrouping.deal_take_back, name="deal_take_back"),
    # Deals
    path("deals/", deal_list.deal_list, name="deal_list"),
    path("deals/export/", deal_list.deal_export, name="deal_export"),
    path("deals/new/", deals.deal_create, name="deal_create"),
    path("deals/<int:pk>/", deals.deal_detail, name="deal_detail"),
    path("deals/<int:pk>/automation/", deal_firings.deal_firings, name="deal_firings"),
    path("deals/<int:pk>/edit/", deals.deal_edit, name="deal_edit"),
    path("deals/<int:pk>/delete/", deals.deal_delete, name="deal_delete"),
    path("deals/<int:pk>/restore/", deals.deal_restore, name="deal_restore"),
    path("deals/<int:pk>/tick/<int:item_pk>/", checklists.deal_tick, name="deal_tick"),
    path("deals/<int:pk>/fill/", checklists.deal_fill, name="deal_fill"),
    path("deals/<int:pk>/items/", line_items.line_item_add, name="line_item_add"),
    path("deals/<int:pk>/items/<int:item_pk>/", line_items.line_item_edit, name="line_item_edit"),
    path("deals/<int:pk>/items/<int:item_pk>/delete/", line_items.line_item_delete, name="line_item_delete"),
    path("deals/<int:pk>/take-sum/", line_items.deal_take_sum, name="deal_take_sum"),
    # Contracts
    path("deals/<int:pk>/contract/", contracts.deal_contract, name="deal_contract"),
    path("companies/<int:pk>/contract/", contracts.company_contract, name="company_contract"),
    path("contracts/<int:pk>/edit/", contracts.contract_edit, name="contract_edit"),
    path("contracts/<int:pk>/renew/", contracts.contract_renew, name="contract_renew"),
    path("contracts/<int:pk>/cancel/", contracts.contract_cancel, name="contract_cancel"),
    path("contracts/<int:pk>/resume/", contracts.contract_resume, name="contract_resume"),
    path("contracts/<int:pk>/delete/", contracts.contract_delete, name="contract_delete"),
    path("contracts/<int:pk>/restore/", contracts.contract_restore, name="contract_restore"),
    # Leads
    path("leads/", leads.lead_list, name="lead_list"),
    path("leads/export/", leads.lead_export, name="lead_export"),
    path("leads/<int:pk>/", leads.lead_detail, name="lead_detail"),
    path("leads/<int:pk>/convert/", converting.lead_convert, name="lead_convert"),
    path("leads/<int:pk>/reopen-converted/", converting.lead_reopen_converted, name="lead_reopen_converted"),
]
