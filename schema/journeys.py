"""What is travelled: flights and stays, as the contract gives and takes them."""

from datetime import date, datetime

import strawberry

from brands.itineraries import Flight, Stay
from schema.fields import derived


@strawberry.type(name="Flight", description="A flight that is booked.")
class FlightType:
    """Resolved on `brands.itineraries.Flight`."""

    carrier: str = strawberry.field(description="The carrier that sells it.")
    flight_number: str = derived(
        lambda flight: flight.number, description="Its number, without zeros in front."
    )
    origin: str = strawberry.field(description="Where it departs: an airport (IATA).")
    destination: str | None = strawberry.field(description="Where it arrives, if that is known.")
    departure_date: date = derived(
        lambda flight: flight.departs_on, description="The day on which it departs there."
    )
    departs_at: datetime | None = strawberry.field(description="When, if that is known.")
    arrives_at: datetime | None = strawberry.field(description="When it arrives, if known.")
    operating_carrier: str | None = strawberry.field(
        description="The carrier that operates it, if that was said."
    )
    operating_flight_number: str | None = derived(
        lambda flight: flight.operating_number, description="That carrier's number of it, if known."
    )
    booking_class: str | None = strawberry.field(description="The booking class.")
    fare_basis: str | None = strawberry.field(description="The fare basis.")
    ticket_number: str | None = derived(
        lambda flight: flight.ticket, description="The number of the ticket, 13 digits."
    )


@strawberry.type(name="Stay", description="A stay at a hotel or the like that is booked.")
class StayType:
    """Resolved on `brands.itineraries.Stay`."""

    property_: str = derived(
        lambda stay: stay.place, name="property", description="The property, in capitals."
    )
    chain: str | None = strawberry.field(
        description="The chain that it is of, by the name that the trade knows a brand by."
    )
    check_in: date = strawberry.field(description="The first day.")
    check_out: date = strawberry.field(description="The last day.")
    nights: int = derived(lambda stay: stay.nights, description="How many nights that is.")
    rate_code: str | None = strawberry.field(description="The rate.")


@strawberry.input(description="A flight. Numbers and codes may be written as the trade does.")
class FlightInput:
    """See `brands.itineraries.Flight`."""

    carrier: str = strawberry.field(description="The carrier that sells it, like BA.")
    flight_number: str = strawberry.field(description="Its number: 1 to 4 digits, maybe a letter.")
    origin: str = strawberry.field(description="Where it departs: an airport (IATA), like LIS.")
    departure_date: date = strawberry.field(description="The day on which it departs there.")
    destination: str | None = strawberry.field(description="Where it arrives.")
    departs_at: datetime | None = strawberry.field(description="When it departs.")
    arrives_at: datetime | None = strawberry.field(description="When it arrives.")
    operating_carrier: str | None = strawberry.field(
        description="The carrier that operates it, where that is another: a codeshare."
    )
    operating_flight_number: str | None = strawberry.field(
        description="That carrier's number of it. With it, the flight is known by both names."
    )
    booking_class: str | None = strawberry.field(description="The booking class, like Y.")
    fare_basis: str | None = strawberry.field(description="The fare basis, like YFLEX.")

    def flight(self, ticket: str | None = None) -> Flight:
        """As the domain has it."""
        return Flight(
            carrier=self.carrier,
            number=self.flight_number,
            origin=self.origin,
            departs_on=self.departure_date,
            destination=self.destination,
            operating_carrier=self.operating_carrier,
            operating_number=self.operating_flight_number,
            booking_class=self.booking_class,
            fare_basis=self.fare_basis,
            departs_at=self.departs_at,
            arrives_at=self.arrives_at,
            ticket=ticket,
        )


@strawberry.input(description="A stay at a hotel or the like.")
class StayInput:
    """See `brands.itineraries.Stay`."""

    property_: str = strawberry.field(
        name="property", description="The property, by the name or code that the chain uses."
    )
    check_in: date = strawberry.field(description="The first day.")
    check_out: date = strawberry.field(description="The last day.")
    chain: str | None = strawberry.field(
        description="The chain, by one of the `carriers` of its program. With it, the chain pays "
        "for the points, whichever program they are of."
    )
    rate_code: str | None = strawberry.field(description="The rate, like BAR.")

    def stay(self) -> Stay:
        """As the domain has it."""
        return Stay(self.property_, self.check_in, self.check_out, self.chain, self.rate_code)
