"""Messages of the travel trade as airlines, hotels and reservation systems send them, shortened;
the loyalty numbers in them are made up."""

NDC_17_2 = b"""<?xml version="1.0" encoding="UTF-8"?>
<OrderViewRS xmlns="http://www.iata.org/IATA/EDIST/2017.2" Version="17.2"><Response>
  <Order OrderID="ORD610158" Owner="1W">
    <BookingReferences><BookingReference><ID>TRJPCT</ID></BookingReference></BookingReferences>
    <OrderItems><OrderItem OrderItemID="ORI1" Owner="SU">
      <Service ServiceID="SVC1"><PassengerRef>T1</PassengerRef><SegmentRef>S1</SegmentRef></Service>
      <Service ServiceID="SVC2"><PassengerRef>T2</PassengerRef><SegmentRef>S1</SegmentRef></Service>
      <FareDetail><PassengerRefs>T1</PassengerRefs><FareComponent><FareBasis>
        <FareBasisCode><Code>NVOR</Code></FareBasisCode><RBD>N</RBD></FareBasis>
        <SegmentRefs>S1</SegmentRefs></FareComponent></FareDetail>
      <FareDetail><PassengerRefs>T2</PassengerRefs><FareComponent><FareBasis>
        <FareBasisCode><Code>NVOR/CH25</Code></FareBasisCode><RBD>N</RBD></FareBasis>
        <SegmentRefs>S1</SegmentRefs></FareComponent></FareDetail>
    </OrderItem></OrderItems></Order>
  <TicketDocInfos>
    <TicketDocInfo><TicketDocument><TicketDocNbr>555-7208883536</TicketDocNbr><Type>T</Type>
      </TicketDocument><PassengerReference>T1</PassengerReference></TicketDocInfo>
    <TicketDocInfo><TicketDocument><TicketDocNbr>5557208883599</TicketDocNbr><Type>J</Type>
      </TicketDocument><PassengerReference>T1</PassengerReference></TicketDocInfo>
  </TicketDocInfos>
  <DataLists>
    <PassengerList>
      <Passenger PassengerID="T1"><PTC>ADT</PTC>
        <Individual><GivenName>SEMEN</GivenName><Surname>LVOV</Surname></Individual>
        <LoyaltyProgramAccount><Airline><AirlineDesignator>SU</AirlineDesignator></Airline>
          <AccountNumber>12345678</AccountNumber></LoyaltyProgramAccount>
        <LoyaltyProgramAccount><Airline><AirlineDesignator>SU</AirlineDesignator></Airline>
          <ProgramName>CLID</ProgramName><AccountNumber>CORP1</AccountNumber>
        </LoyaltyProgramAccount></Passenger>
      <Passenger PassengerID="T2"><PTC>CHD</PTC>
        <Individual><GivenName>ANNA</GivenName><Surname>LVOVA</Surname></Individual>
        <LoyaltyProgramAccount><ProgramCode>SU</ProgramCode>
          <AccountNumber>9</AccountNumber></LoyaltyProgramAccount></Passenger>
    </PassengerList>
    <FlightSegmentList><FlightSegment SegmentKey="S1">
      <Departure><AirportCode>SVO</AirportCode><Date>2027-12-12</Date></Departure>
      <Arrival><AirportCode>LED</AirportCode></Arrival>
      <MarketingCarrier><AirlineID>SU</AirlineID><FlightNumber>0012</FlightNumber></MarketingCarrier>
      <OperatingCarrier><AirlineID>FV</AirlineID><FlightNumber>6012</FlightNumber></OperatingCarrier>
      <ClassOfService><Code>Y</Code></ClassOfService></FlightSegment></FlightSegmentList>
  </DataLists></Response></OrderViewRS>"""

NDC_19_2 = b"""<a:IATA_OrderViewRS xmlns:a="urn:iata" xmlns:c="urn:common"><a:Response>
  <a:DataLists>
    <a:PaxList>
      <c:Pax><c:Individual><c:GivenName>Mar\xc3\xada</c:GivenName><c:Surname>Garc\xc3\xada</c:Surname>
        </c:Individual>
        <c:LoyaltyProgramAccount><c:AccountNumber>IB 331-234</c:AccountNumber>
          <c:Carrier><c:AirlineDesigCode>ib</c:AirlineDesigCode></c:Carrier>
          <c:ProgramCode>IBPLUS</c:ProgramCode><c:TierCode>GOLD</c:TierCode>
        </c:LoyaltyProgramAccount>
        <c:LoyaltyProgramAccount><c:AccountNumber>9</c:AccountNumber></c:LoyaltyProgramAccount>
        <c:PaxID>PAX1</c:PaxID></c:Pax>
      <c:Pax><c:Individual><c:Surname>Berg</c:Surname></c:Individual>
        <c:LoyaltyProgramAccount><c:AccountNumber>77</c:AccountNumber>
          <c:LoyaltyProgram><c:Carrier><c:AirlineDesigCode>BA</c:AirlineDesigCode></c:Carrier>
          </c:LoyaltyProgram></c:LoyaltyProgramAccount><c:PaxID>PAX2</c:PaxID></c:Pax>
    </a:PaxList>
    <a:PaxSegmentList>
      <c:PaxSegment>
        <c:Arrival><c:IATA_LocationCode>BCN</c:IATA_LocationCode></c:Arrival>
        <c:Dep><c:AircraftScheduledDateTime>2027-06-01T19:15:00+01:00</c:AircraftScheduledDateTime>
          <c:IATA_LocationCode>LHR</c:IATA_LocationCode></c:Dep>
        <c:MarketingCarrierInfo><c:CarrierDesigCode>BA</c:CarrierDesigCode>
          <c:MarketingCarrierFlightNumberText>0482</c:MarketingCarrierFlightNumberText>
        </c:MarketingCarrierInfo>
        <c:OperatingCarrierInfo><c:CarrierDesigCode>VY</c:CarrierDesigCode>
          <c:OperatingCarrierFlightNumberText>7821</c:OperatingCarrierFlightNumberText>
        </c:OperatingCarrierInfo>
        <c:PaxSegmentID>SEG1</c:PaxSegmentID></c:PaxSegment>
      <c:PaxSegment>
        <c:Dep><c:AircraftScheduledDateTime>2027-06-02T10:00:00</c:AircraftScheduledDateTime>
          <c:IATA_LocationCode>OSL</c:IATA_LocationCode></c:Dep>
        <c:MarketingCarrierInfo><c:CarrierDesigCode>DX</c:CarrierDesigCode>
          <c:MarketingCarrierFlightNumberText>DX5078</c:MarketingCarrierFlightNumberText>
          <c:RBD_Code>Q</c:RBD_Code></c:MarketingCarrierInfo>
        <c:PaxSegmentID>SEG2</c:PaxSegmentID></c:PaxSegment></a:PaxSegmentList>
  </a:DataLists>
  <a:Order><c:BookingRef><c:BookingID>AAA-111</c:BookingID></c:BookingRef><c:OrderItem>
      <c:FareDetail><c:FareComponent><c:FareBasisCode>YLOW</c:FareBasisCode>
        <c:PaxSegmentRefID>SEG1</c:PaxSegmentRefID><c:RBD><c:RBD_Code>Y</c:RBD_Code></c:RBD>
        </c:FareComponent><c:PaxRefID>PAX1</c:PaxRefID></c:FareDetail></c:OrderItem></a:Order>
  <a:Order><c:BookingRef><c:BookingID>BBB222</c:BookingID></c:BookingRef><c:OrderItem>
      <c:FareDetail><c:FareComponent><c:FareBasisCode>QLOW</c:FareBasisCode>
        <c:PaxSegmentRefID>SEG2</c:PaxSegmentRefID></c:FareComponent><c:PaxRefID>PAX2</c:PaxRefID>
      </c:FareDetail></c:OrderItem></a:Order>
</a:Response></a:IATA_OrderViewRS>"""

NDC_21_3 = b"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<ns2:IATA_OrderViewRS
    xmlns="http://www.iata.org/IATA/2015/EASD/00/IATA_OffersAndOrdersCommonTypes"
    xmlns:ns2="http://www.iata.org/IATA/2015/EASD/00/IATA_OffersAndOrdersMessage">
  <ns2:Response>
    <DataLists>
      <DatedMarketingSegmentList><DatedMarketingSegment>
        <Arrival><AircraftScheduledDateTime>2027-05-27T07:00:00</AircraftScheduledDateTime>
          <IATA_LocationCode>CPH</IATA_LocationCode></Arrival>
        <CarrierDesigCode>W2</CarrierDesigCode>
        <DatedMarketingSegmentId>DMS1</DatedMarketingSegmentId>
        <DatedOperatingSegmentRefId>DOS1</DatedOperatingSegmentRefId>
        <Dep><AircraftScheduledDateTime>2027-05-27T06:00:00</AircraftScheduledDateTime>
          <IATA_LocationCode>KRP</IATA_LocationCode></Dep>
        <MarketingCarrierFlightNumberText>W2500</MarketingCarrierFlightNumberText>
      </DatedMarketingSegment></DatedMarketingSegmentList>
      <DatedOperatingSegmentList><DatedOperatingSegment>
        <CarrierDesigCode>DX</CarrierDesigCode>
        <DatedOperatingSegmentId>DOS1</DatedOperatingSegmentId>
        <OperatingCarrierFlightNumberText>5500</OperatingCarrierFlightNumberText>
      </DatedOperatingSegment></DatedOperatingSegmentList>
      <PaxJourneyList><PaxJourney><PaxJourneyID>JOUR1</PaxJourneyID>
        <PaxSegmentRefID>SEG1</PaxSegmentRefID></PaxJourney></PaxJourneyList>
      <PaxList><Pax><CitizenshipCountryCode></CitizenshipCountryCode>
        <Individual><GivenName>Bruce</GivenName><Surname>Wayne</Surname></Individual>
        <LoyaltyProgramAccount><AccountNumber>4711</AccountNumber><LoyaltyProgram>
          <Carrier><AirlineDesigCode>W2</AirlineDesigCode></Carrier></LoyaltyProgram>
        </LoyaltyProgramAccount><PaxID>PAX1</PaxID><PTC>ADT</PTC></Pax></PaxList>
      <PaxSegmentList><PaxSegment>
        <DatedMarketingSegmentRefId>DMS1</DatedMarketingSegmentRefId>
        <MarketingCarrierRBD_Code>W2</MarketingCarrierRBD_Code>
        <OperatingCarrierRBD_Code>W2</OperatingCarrierRBD_Code>
        <PaxSegmentID>SEG1</PaxSegmentID></PaxSegment></PaxSegmentList>
    </DataLists>
    <Order><OrderID>d14a8d0c-74a6-4c3c-801b-8f9e17cf21c6</OrderID>
      <OrderItem>
        <FareDetail><AccountCode>VAT_DC</AccountCode></FareDetail>
        <Service>
          <BookingRef><BookingEntity><Carrier><AirlineDesigCode>W2</AirlineDesigCode></Carrier>
            </BookingEntity><BookingID>CSHUNH</BookingID></BookingRef>
          <OrderServiceAssociation><PaxSegmentRef><PaxSegmentRefID>SEG1</PaxSegmentRefID>
            </PaxSegmentRef></OrderServiceAssociation>
          <PaxRefID>PAX1</PaxRefID></Service></OrderItem></Order>
    <TicketDocInfo><BookletQty>1</BookletQty><PaxRefID>PAX1</PaxRefID>
      <Ticket><TicketNumber>2772770026753</TicketNumber></Ticket></TicketDocInfo>
  </ns2:Response></ns2:IATA_OrderViewRS>"""

FLIGHTS = b"""<OTA_AirBookRQ xmlns="http://www.opentravel.org/OTA/2003/05" Version="2.001">
  <AirItinerary><OriginDestinationOptions><OriginDestinationOption>
    <FlightSegment RPH="1" DepartureDateTime="2027-02-21T10:00:00" FlightNumber="117"
        ResBookDesigCode="J">
      <DepartureAirport LocationCode="LHR"/><ArrivalAirport LocationCode="JFK"/>
      <OperatingAirline Code="BA" FlightNumber="0178"/><MarketingAirline Code="AA"/></FlightSegment>
  </OriginDestinationOption></OriginDestinationOptions></AirItinerary>
  <PriceInfo><PTC_FareBreakdowns>
    <PTC_FareBreakdown><PassengerTypeQuantity Code="ADT"/><FareBasisCodes>
      <FareBasisCode FlightSegmentRPH="1">JFLEX</FareBasisCode></FareBasisCodes></PTC_FareBreakdown>
    <PTC_FareBreakdown><PassengerTypeQuantity Code="CHD"/><FareBasisCodes>
      <FareBasisCode FlightSegmentRPH="1">JFLEX/CH25</FareBasisCode></FareBasisCodes>
    </PTC_FareBreakdown></PTC_FareBreakdowns></PriceInfo>
  <TravelerInfo>
    <AirTraveler PassengerTypeCode="ADT"><PersonName><GivenName>Ginny</GivenName>
      <SurnamePrefix>van der</SurnamePrefix><Surname>Woolf</Surname></PersonName>
      <CustLoyalty ProgramID="PLATINUM5" MembershipID="8943112" LoyalLevel="VIP" TravelSector="1"/>
      <TravelerRefNumber RPH="1"/></AirTraveler>
    <AirTraveler PassengerTypeCode="CHD"><PersonName><Surname>Bukowski</Surname></PersonName>
      <CustLoyalty/><CustLoyalty ProgramID="" MembershipID="" /><CustLoyalty ProgramID="ZR"/>
      <CustLoyalty VendorCode="BA IB" MembershipID="3"/>
      <TravelerRefNumber RPH="2"/></AirTraveler>
    <AirTraveler><PersonName><Surname>Foe</Surname></PersonName>
      <CustLoyalty ProgramID="HILTON" VendorCode="HILTON HONORS" MembershipID="4"/></AirTraveler>
  </TravelerInfo>
  <Ticketing TravelerRefNumber="1" FlightSegmentRefNumber="1" eTicketNumber="001-2345678901"/>
  <BookingReferenceID Type="8" ID="9999"/><BookingReferenceID Type="14" ID="AB-12"/>
</OTA_AirBookRQ>"""

HOTEL = b"""<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
<OTA_HotelResNotifRQ xmlns="http://www.opentravel.org/OTA/2003/05" Version="1.000">
  <HotelReservations>
    <HotelReservation CreatorID="Expedia"><UniqueID Type="14" ID="13335517"/>
      <RoomStays>
        <RoomStay><RatePlans><RatePlan RatePlanCode="113712A"/></RatePlans>
          <TimeSpan Start="2027-05-23" End="2027-05-26"/>
          <BasicPropertyInfo HotelCode="1154286" ChainCode="HH"/>
          <ResGuestRPHs><ResGuestRPH RPH="1"/></ResGuestRPHs></RoomStay>
        <RoomStay><TimeSpan Start="2027-05-23" End="2027-05-26"/>
          <BasicPropertyInfo HotelCode="1154286" ChainCode="HH"/></RoomStay>
        <RoomStay><TimeSpan Start="2027-05-26" Duration="P4D"/>
          <BasicPropertyInfo HotelName="Grand Park"/><ResGuestRPHs>2</ResGuestRPHs></RoomStay>
      </RoomStays>
      <ResGuests>
        <ResGuest ResGuestRPH="1"><Profiles><ProfileInfo><Profile><Customer>
          <PersonName><GivenName>John</GivenName><Surname>Doe</Surname></PersonName>
          <CustLoyalty ProgramID="HONORS" MembershipID="71" TravelSector="3"/>
          <CustLoyalty ProgramID="AERO" MembershipID="72" TravelSector="1"/>
        </Customer></Profile></ProfileInfo></Profiles></ResGuest>
        <ResGuest ResGuestRPH="2"><Profiles><ProfileInfo><Profile><Customer>
          <PersonName><Surname>Roe</Surname></PersonName>
          <CustLoyalty ProgramID="HONORS" MembershipID="73"/>
        </Customer></Profile></ProfileInfo></Profiles></ResGuest>
      </ResGuests>
      <ResGlobalInfo><Memberships><Membership ProgramCode="HONORS" AccountID="74"/></Memberships>
      </ResGlobalInfo></HotelReservation>
    <HotelReservation>
      <RoomStays><RoomStay><ResGuestRPHs><ResGuestRPH RPH="1"/></ResGuestRPHs></RoomStay>
      </RoomStays><BasicPropertyInfo HotelName="Concur Inn"/>
      <ResGuests><ResGuest><Profiles><ProfileInfo><Profile><Customer>
        <PersonName><GivenName>JANE</GivenName><Surname>DOE</Surname></PersonName>
      </Customer></Profile></ProfileInfo></Profiles></ResGuest></ResGuests>
      <ResGlobalInfo><TimeSpan Start="2027-05-01" End="2027-05-02"/>
        <Memberships><Membership ProgramCode="HotelLoyaltyProgram" AccountID="1111111"/>
        </Memberships><HotelReservationIDs><HotelReservationID ResID_Type="8" ResID_Value="8"/>
          <HotelReservationID ResID_Type="14" ResID_Value="AG1405"/></HotelReservationIDs>
      </ResGlobalInfo></HotelReservation>
  </HotelReservations></OTA_HotelResNotifRQ></soap:Body></soap:Envelope>"""

SABRE = b"""<TravelItinerary><CustomerInfo>
  <PersonName NameNumber="01.01"><GivenName>IVAN</GivenName><Surname>IVANOV</Surname></PersonName>
  <PersonName NameNumber="02.01"><GivenName>ELENA</GivenName><Surname>IVANOVA</Surname></PersonName>
  <CustLoyalty MembershipID="1234567890" NameNumber="1.1" ProgramID="KL" TravelingCarrierCode="SU"/>
  <CustLoyalty MembershipID="0987654321" NameNumber="2.1" ProgramID="SU"/>
  <CustLoyalty MembershipID="5" ProgramID="SU"/>
  <CustLoyalty MembershipID="6" NameNumber="3.1" ProgramID="SU"/></CustomerInfo>
  <FlightSegment FlightNumber="10"><MarketingAirline Code="SU"/></FlightSegment>
  <FlightSegment FlightNumber="20"><MarketingAirline Code="AF"/></FlightSegment>
</TravelItinerary>"""
