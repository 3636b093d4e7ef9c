"""How a stand-in pretix writes what it knows: the fields of the real answers, with their names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bridge.demo.booking.state import Event, Order, Position, Scan, Session, Shop, Waiting

Json = dict[str, Any]


def written(moment: datetime | None) -> str | None:
    """An instant as pretix writes it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def event(one: Event) -> Json:
    """An event."""
    return {
        "name": {"en": one.name}, "slug": one.slug, "live": True, "testmode": False,
        "currency": "GBP", "date_from": written(one.date_from), "date_to": written(one.date_to),
        "date_admission": None, "is_public": True, "presale_start": None, "presale_end": None,
        "location": None, "geo_lat": None, "geo_lon": None, "has_subevents": one.series,
        "meta_data": dict(one.meta), "seating_plan": None, "plugins": [],
        "seat_category_mapping": {}, "timezone": "Europe/London", "item_meta_properties": {},
        "all_sales_channels": True, "limit_sales_channels": [], "public_url": None,
    }  # fmt: skip


def session(one: Session) -> Json:
    """A date of a series."""
    return {
        "id": one.id, "name": {"en": one.name}, "date_from": written(one.date_from),
        "date_to": written(one.date_to), "active": one.active, "date_admission": None,
        "presale_start": None, "presale_end": None, "location": None, "event": one.event,
        "is_public": True, "meta_data": {}, "comment": None,
    }  # fmt: skip


def items(shop: Shop, slug: str) -> list[Json]:
    """A place, and a lunch."""
    number = shop.place_of(slug)
    return [
        {"id": number, "name": {"en": "Place"}, "active": True, "admission": True},
        {"id": number + 1, "name": {"en": "Lunch"}, "active": True, "admission": False},
    ]


def checkin_list(shop: Shop, slug: str, number: int) -> Json:
    """A check-in list."""
    places = [p for o in shop.orders if o.event == slug for p in o.positions]
    return {
        "id": number, "name": shop.lists[slug][number], "all_products": True,
        "limit_products": [], "subevent": None,
        "checkin_count": sum(any(s.list == number for s in p.scans) for p in places),
        "position_count": len(places), "include_pending": True, "allow_multiple_entries": False,
        "allow_entry_after_exit": True, "rules": {}, "exit_all_at": None, "addon_match": False,
    }  # fmt: skip


def order(one: Order, excluded: set[str]) -> Json:
    """An order with its positions."""
    told = {
        "code": one.code, "event": one.event, "status": one.status, "testmode": one.testmode,
        "secret": f"order-secret-{one.code}", "email": one.email, "phone": None, "locale": "en",
        "datetime": written(one.placed), "expires": written(one.placed), "payment_date": None,
        "payment_provider": "free", "fees": [], "total": "0.00", "comment": "",
        "custom_followup_at": None, "invoice_address": None,
        "positions": [position(one, p, excluded) for p in one.positions],
        "downloads": [], "checkin_attention": False, "checkin_text": None,
        "last_modified": written(one.modified), "payments": [], "refunds": [],
        "require_approval": one.approval, "sales_channel": "web",
        "url": f"https://tickets.example/order/{one.code}/order-secret-{one.code}/",
        "customer": None, "valid_if_pending": False, "api_meta": {}, "plugin_data": {},
        "cancellation_date": written(one.modified) if one.status == "c" else None,
    }  # fmt: skip
    return {name: value for name, value in told.items() if name not in excluded}


def position(of: Order, one: Position, excluded: set[str]) -> Json:
    """A place in an order."""
    told = {
        "id": one.id, "order": of.code, "positionid": one.number, "item": one.item,
        "variation": None, "price": "0.00", "attendee_name": one.name or None,
        "attendee_name_parts": {"_scheme": "full", "full_name": one.name} if one.name else {},
        "company": None, "street": None, "zipcode": None, "city": None, "country": None,
        "state": None, "discount": None, "attendee_email": one.email or None, "voucher": None,
        "tax_rate": "0.00", "tax_value": "0.00", "secret": f"ticket-secret-{one.id}",
        "addon_to": one.addon_to, "subevent": one.session,
        "checkins": [scan(s) for s in reversed(one.scans)], "print_logs": [], "downloads": [],
        "answers": [
            {"question": n, "answer": text, "question_identifier": name, "options": [],
             "option_identifiers": []}
            for n, (name, text) in enumerate(one.answers.items(), 1)
        ],
        "tax_rule": None, "pseudonymization_id": f"P{one.id}", "seat": None,
        "canceled": one.canceled, "tax_code": None, "valid_from": None, "valid_until": None,
        "blocked": None, "voucher_budget_use": None, "plugin_data": {},
    }  # fmt: skip
    return {name: value for name, value in told.items() if f"positions.{name}" not in excluded}


def scan(one: Scan) -> Json:
    """A check-in, as a position carries it."""
    return {
        "id": one.id, "datetime": written(one.at), "list": one.list, "auto_checked_in": False,
        "gate": None, "device": None, "device_id": None, "type": one.type,
    }  # fmt: skip


def waiting(one: Waiting) -> Json:
    """An entry of a waiting list."""
    return {
        "id": one.id, "created": None, "name": one.name or None,
        "name_parts": {"_scheme": "full", "full_name": one.name} if one.name else {},
        "email": one.email, "phone": None, "voucher": None, "item": one.item, "variation": None,
        "locale": "en", "subevent": one.session, "priority": 0,
    }  # fmt: skip
